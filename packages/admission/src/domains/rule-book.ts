import { type DomainPattern, parseDomainPattern } from "./domain-name.ts";
import { decodeRule, type DomainRule } from "./domain-rule.ts";

/** A rule and whom it is about. */
export interface RuledDomain {
  readonly pattern: DomainPattern;
  readonly rule: DomainRule;
}

/** The rules of a region at one moment. */
export class RuleBook {
  readonly #rules = new Map<string, RuledDomain>();

  /** From the hash in Redis; what no version of ours wrote is left out. */
  constructor(stored: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(stored)) {
      const pattern = parseDomainPattern(name);
      const rule = decodeRule(text);
      if (pattern === undefined || rule === undefined) continue;
      this.#rules.set(pattern, { pattern, rule });
    }
  }

  get isEmpty(): boolean {
    return this.#rules.size === 0;
  }

  /** All of them, by name. */
  get all(): readonly RuledDomain[] {
    return [...this.#rules.values()].toSorted((one, other) => one.pattern.localeCompare(other.pattern));
  }

  /** The rule for a domain in its look-up form: its own, else that of the nearest domain above it. */
  ruleOf(domain: string): RuledDomain | undefined {
    if (this.isEmpty) return undefined;
    const own = this.#rules.get(domain);
    if (own !== undefined) return own;
    for (let dot = domain.indexOf("."); dot !== -1; dot = domain.indexOf(".", dot + 1)) {
      // `*.example` is for those below `example` only, so it goes before a rule for `example` and all below.
      const above = this.#rules.get(`*${domain.slice(dot)}`) ?? this.#rules.get(domain.slice(dot + 1));
      if (above !== undefined) return above;
    }
    return undefined;
  }
}
