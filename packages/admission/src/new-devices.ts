import { type BudgetPool, type Millis } from "@reveille/wakeup";

import { type DomainLimit, intervalOf } from "./domains/domain-limit.ts";

/** How many devices that never had a push may be tried. A token that the push service refuses is not given back. */
export interface NewDeviceLimits {
  /** Of one domain. */
  readonly perDomain: DomainLimit;
  /** Of all domains together: one such budget for the first few of each domain, another for all further ones. */
  readonly inAll: DomainLimit;
  /** How long a device is remembered after its last push; then it is new again. */
  readonly rememberFor: Millis;
}

/** So many tokens of its budget a domain takes out of the pool `first`, in which those that flood take none. */
export const FIRST_FEW = 20;
/** An accepted push gives its token back, and this much more: a domain of which one in 13 is refused never runs dry. */
export const BONUS = 0.25;
/** A refused push costs so many tokens more than its own. */
export const PENALTY = 2;

/** Budgets as they are stored: when each is full again, in ms of the region's clock. */
export interface Budgets {
  readonly domain: number;
  readonly first: number;
  readonly further: number;
}

/** What paid for a push. */
export interface Paid {
  readonly budgets: Budgets;
  readonly pool: BudgetPool;
}

/** Like the rounding of limits: a token that is there but for so many ms counts. */
const ROUNDING = 0.02;
const MOST_DEBT = 2;

/** Debt is bounded by a second budget. A time that lies further ahead was written by a Redis whose clock was wrong. */
const startOf = (fullAt: number, now: number, limit: DomainLimit): number =>
  fullAt > now + MOST_DEBT * limit.burst * intervalOf(limit) + 1 ? now : Math.max(fullAt, now);

const hasToken = (from: number, now: number, limit: DomainLimit): boolean =>
  now + limit.burst * intervalOf(limit) - from + ROUNDING >= intervalOf(limit);

/**
 * Takes a token for a push to a new device from the budget of its domain and from one of all domains; `undefined` if one of
 * them has none. `new-devices.lua` and `first-outcome.lua` are the same rule; a property holds them together.
 */
export function payForNewDevice(budgets: Budgets, now: number, limits: NewDeviceLimits): Paid | undefined {
  const { perDomain, inAll } = limits;
  const domain = startOf(budgets.domain, now, perDomain);
  if (!hasToken(domain, now, perDomain)) return undefined;
  const isAmongFirst = domain - now + ROUNDING < FIRST_FEW * intervalOf(perDomain);
  for (const pool of isAmongFirst ? (["first", "further"] as const) : (["further"] as const)) {
    const from = startOf(budgets[pool], now, inAll);
    if (!hasToken(from, now, inAll)) continue;
    const paid = { ...budgets, domain: domain + intervalOf(perDomain), [pool]: from + intervalOf(inAll) };
    return { budgets: paid, pool };
  }
  return undefined;
}

/** The first push was accepted: `paid` tokens come back, and a little more. */
export function refundAccepted(fullAt: number, now: number, limit: DomainLimit, paid: number): number {
  return Math.max(now, startOf(fullAt, now, limit) - (paid + BONUS) * intervalOf(limit));
}

/** The first push was refused: the domain, not all domains, pays more. */
export function chargeRefused(fullAt: number, now: number, limit: DomainLimit): number {
  const most = now + MOST_DEBT * limit.burst * intervalOf(limit);
  return Math.min(startOf(fullAt, now, limit) + PENALTY * intervalOf(limit), most);
}
