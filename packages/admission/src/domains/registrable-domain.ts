import { getDomain } from "tldts";

/** How sending domains are told apart for limits and budgets. */
export type DomainGrouping =
  /** A domain counts together with all others below the name that somebody has registered: `a.b.example.co.uk` as `example.co.uk`. */
  | "registrable"
  /** Each domain counts for itself. */
  | "each";

/**
 * The name that was registered, by the public suffix list that `tldts` brings along. Suffixes of private companies
 * (`duckdns.org`) do not count: names below them cost nothing, so they share one limit. A name without a registrable part
 * (an address, a single label, a suffix) stands for itself.
 */
export const registrableDomain = (domain: string): string =>
  getDomain(domain, { allowPrivateDomains: false }) ?? domain;
