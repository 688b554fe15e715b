import { type Millis } from "@reveille/wakeup";

/** How much a domain may publish: a bucket of `burst` tokens that fills at `perSecond`. */
export interface DomainLimit {
  /** Tokens per second; a fraction for less than one. */
  readonly perSecond: number;
  /** Most tokens in the bucket, at least 1. */
  readonly burst: number;
}

/** What a draw from a bucket gave. */
export interface Draw {
  readonly given: number;
  /** When the bucket is full again, in the unit of `now`; all there is to remember of it. */
  readonly fullAt: number;
}

/** Milliseconds in which one token flows in. */
export const intervalOf = ({ perSecond }: DomainLimit): number => 1_000 / perSecond;

/** A token that is there but for so many ms counts: times are doubles, and Redis keeps whole µs. */
const ROUNDING = 0.02;

/**
 * Takes up to `wanted` tokens. A bucket is one number, the time at which it will be full (the "virtual scheduling" of
 * GCRA), so that it can be forgotten from then on. A time that lies too far ahead was written by a wrong clock. `limits.lua` is the same rule; a property holds them together.
 */
export function draw(fullAt: number, now: Millis, limit: DomainLimit, wanted: number): Draw {
  const interval = intervalOf(limit);
  const emptyAt = now + limit.burst * interval;
  const believed = fullAt > emptyAt + 1 ? 0 : fullAt;
  const from = Math.min(Math.max(believed, now), emptyAt);
  const given = Math.min(wanted, Math.floor((emptyAt - from + ROUNDING) / interval));
  return { given, fullAt: from + given * interval };
}
