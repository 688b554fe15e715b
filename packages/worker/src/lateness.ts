import { type Clock, type Millis, millis, type PushModule, seconds } from "@reveille/wakeup";

/** Below this share of late wakeups a module has stragglers, above it a backlog. */
const BACKLOG_SHARE = 0.05;
/** After this time what has been seen counts for half. */
const HALF_LIFE = seconds(5);

interface Seen {
  readonly late: number;
  readonly all: number;
  readonly at: Millis;
}

/**
 * Tells a backlog from stragglers. In a backlog every push has to be cleared, which costs Redis a round trip and a key
 * per device, so a single throttled device must not bring that upon all devices of its module; while for a module with
 * few wakeups one of them is share enough.
 */
export class Lateness {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #seen = new Map<PushModule, Seen>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Counts `late` of `all` wakeups of a module; true while the share of late ones is that of a backlog. */
  note(module: PushModule, late: number, all: number): boolean {
    const at = this.#clock.monotonic();
    const before = this.#seen.get(module) ?? { late: 0, all: 0, at };
    const left = 0.5 ** (millis(at - before.at) / HALF_LIFE);
    const seen = { late: before.late * left + late, all: before.all * left + all, at };
    this.#seen.set(module, seen);
    return seen.late > seen.all * BACKLOG_SHARE;
  }
}
