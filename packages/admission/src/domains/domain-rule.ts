import { type DomainLimit } from "./domain-limit.ts";

/** What an operator wants of a domain. */
export type DomainRule =
  /** Its publishes are refused for good, which ends the registrations of its users. */
  | { readonly kind: "blocked" }
  | { readonly kind: "limited"; readonly limit: DomainLimit }
  /** No limit, whatever the default is. */
  | { readonly kind: "allowed" };

/** A rule as it stands in Redis. */
export const encodeRule = (rule: DomainRule): string =>
  rule.kind === "limited" ? `limited ${rule.limit.perSecond} ${rule.limit.burst}` : rule.kind;

/** Any text gives a rule or `undefined`, never an exception. */
export function decodeRule(text: string): DomainRule | undefined {
  if (text === "blocked" || text === "allowed") return { kind: text };
  const [, perSecond, burst] = /^limited (\S+) (\S+)$/.exec(text) ?? [];
  const limit = { perSecond: Number(perSecond), burst: Number(burst) };
  return isLimit(limit) ? { kind: "limited", limit } : undefined;
}

const isLimit = ({ perSecond, burst }: DomainLimit): boolean =>
  perSecond > 0 && Number.isFinite(perSecond) && Number.isSafeInteger(burst) && burst >= 1;
