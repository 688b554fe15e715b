import { type Push } from "../ledger.ts";
import { type Random } from "../random.ts";
import { type ActiveRule, type PushMatch, type Rule } from "./rule.ts";

/** The rules in force, oldest first. */
export interface Rules {
  readonly active: readonly ActiveRule[];
  readonly add: (rule: Rule) => ActiveRule;
  readonly clear: () => void;
}

/** What a rule can look at. */
export type PushFacts = Pick<Push, "token" | "topic" | "headers" | "connection">;

/** The rules as the simulator asks them. */
export class RuleBook implements Rules {
  readonly #random: Random;
  #entries: Entry[] = [];
  #lastId = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get active(): readonly ActiveRule[] {
    return this.#entries;
  }

  readonly add = (rule: Rule): ActiveRule => {
    this.#lastId += 1;
    const entry: Entry = {
      id: this.#lastId,
      rule,
      hits: 0,
      toSkip: rule.skip ?? 0,
      remove: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
    this.#entries.push(entry);
    return entry;
  };

  readonly clear = (): void => {
    this.#entries = [];
  };

  /** The rule that acts on this push, counted; `undefined` if none does. */
  take(at: "arrival" | "acceptance", push: PushFacts): Rule | undefined {
    if (this.#entries.length === 0) return undefined;
    return this.#entries.find((entry) => this.#acts(entry, at, push))?.rule;
  }

  #acts(entry: Entry, at: "arrival" | "acceptance", push: PushFacts): boolean {
    const { rule } = entry;
    if ((rule.at ?? "acceptance") !== at || !fits(rule.match ?? {}, push)) return false;
    if (rule.times !== undefined && entry.hits >= rule.times) return false;
    if (entry.toSkip > 0) {
      entry.toSkip -= 1;
      return false;
    }
    if (rule.share !== undefined && this.#random.next() >= rule.share) return false;
    entry.hits += 1;
    return true;
  }
}

type Entry = { -readonly [Field in keyof ActiveRule]: ActiveRule[Field] } & { toSkip: number };

function fits(match: PushMatch, push: PushFacts): boolean {
  const same = <T>(wanted: T | undefined, actual: T | undefined): boolean =>
    wanted === undefined || wanted === actual;
  return (
    same(match.token?.toLowerCase(), push.token) &&
    push.token.startsWith(match.tokenPrefix?.toLowerCase() ?? "") &&
    same(match.topic, push.topic) &&
    same(match.pushType, push.headers["apns-push-type"]) &&
    same(match.connection, push.connection)
  );
}
