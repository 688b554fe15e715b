import { type EpochMillis, type Millis } from "./time.ts";

/** Time as a parameter: the system's in a process, a manual one in tests. */
export interface Clock {
  /** Wall-clock time. May step backwards; for dates, deadlines and logs. */
  readonly now: () => EpochMillis;
  /** Time since an arbitrary point, never stepping, with fractions; for measuring and time-outs. */
  readonly monotonic: () => Millis;
  /** Resolves after `duration`; as soon as `signal` aborts, resolves early (it never rejects). */
  readonly sleep: (duration: Millis, signal?: AbortSignal) => Promise<void>;
}
