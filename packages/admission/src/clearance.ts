import { between, type EpochMillis, later, type Millis, millis, seconds } from "@reveille/wakeup";

/** May a push leave during a backlog? */
export type Clearance =
  /** `urgent`: so it has to be sent, since it serves an urgent wakeup as well. */
  | { readonly kind: "go"; readonly clearedAt: EpochMillis; readonly urgent: boolean }
  /** A push that was accepted by the push service left after this wakeup was received, an urgent one if this is urgent. */
  | { readonly kind: "covered" }
  /** Another push to the device is on its way, or was accepted less than a window ago. */
  | { readonly kind: "later"; readonly after: Millis };

/** What is remembered of a device during a backlog. */
export interface Pushed {
  /** The newest push that was accepted left after this: it serves what was received before. */
  readonly coversUntil?: EpochMillis;
  /** The same of the newest urgent one. Another may be sent as a background push, which Apple may never deliver. */
  readonly coversUrgentUntil?: EpochMillis;
  /** When the push service was known to have a push. Later than `coversUntil` by as long as the push was on its way. */
  readonly acceptedAt?: EpochMillis;
  /** Somebody has a clearance since then and has not settled it. */
  readonly clearedAt?: EpochMillis;
}

/** How much the clocks of two hosts of a region may differ. More could drop a wakeup as covered that is not. */
export const MOST_SKEW: Millis = seconds(1);

/**
 * A clearance that is not settled by then belongs to a worker that died. Longer than a push waits for a connection (10 s)
 * and its answer (10 s).
 */
export const CLEARANCE_LASTS: Millis = seconds(25);

/** The wakeups of a device that ask together, for one push. */
export interface Asking {
  /** When the newest was received. */
  readonly receivedAt: EpochMillis;
  /** When the newest urgent one was received, if there is one. */
  readonly urgentAt?: EpochMillis;
  readonly window: Millis;
}

/** The rule; `clear.lua` is the same rule for many devices at once. */
export function clearanceOf(
  pushed: Pushed,
  { receivedAt, urgentAt, window }: Asking,
  now: EpochMillis,
): Clearance {
  // A time that lies further ahead than clocks of hosts differ was written by a Redis whose clock was wrong.
  const plausible = (time: EpochMillis | undefined): EpochMillis | undefined =>
    time !== undefined && time <= later(now, MOST_SKEW) ? time : undefined;
  const isCovered = (received: EpochMillis, until: EpochMillis | undefined): boolean =>
    until !== undefined && later(received, MOST_SKEW) <= until;
  const [accepted, cleared] = [plausible(pushed.acceptedAt), plausible(pushed.clearedAt)];
  const isUrgentCovered = urgentAt === undefined || isCovered(urgentAt, plausible(pushed.coversUrgentUntil));
  if (isCovered(receivedAt, plausible(pushed.coversUntil)) && isUrgentCovered) return { kind: "covered" };
  const waits = [
    accepted === undefined ? 0 : accepted + window - now,
    cleared === undefined ? 0 : between(now, later(cleared, CLEARANCE_LASTS)),
  ];
  const after = millis(Math.max(0, ...waits));
  return after > 0
    ? { kind: "later", after }
    : { kind: "go", clearedAt: now, urgent: urgentAt !== undefined };
}
