import { type Clock, type Millis, millis } from "@reveille/wakeup";

/** Least time between the beginnings of two flushes; why, is in docs/decisions/0004-flushes-keep-a-pace.md. */
export const FLUSH_APART: Millis = millis(2);

/** A timer of Node takes a millisecond at least: it would oversleep less than that by more than it is worth. */
const LEAST_WAIT = millis(0.5);

/**
 * Keeps the beginnings of two flushes a little apart while publishes keep coming, so that each carries more of them:
 * at low rates most of what a flush costs is the waking of processes. The first one after a pause begins at once.
 */
export class FlushPace {
  readonly #clock: Pick<Clock, "monotonic" | "sleep">;
  readonly #apart: Millis;
  #beganAt = Number.NEGATIVE_INFINITY;
  #waiting: AbortController | undefined;

  /** `apart`: least time between the beginnings of two flushes; 0 for no pace at all. */
  constructor(clock: Pick<Clock, "monotonic" | "sleep">, apart: Millis) {
    this.#clock = clock;
    this.#apart = apart;
  }

  /** Resolves when the next flush may begin, at once if it `isFull`; counts it as begun then. */
  async next(isFull: boolean): Promise<void> {
    const left = millis(Math.max(0, this.#beganAt + this.#apart - this.#clock.monotonic()));
    if (left > LEAST_WAIT && !isFull) {
      this.#waiting = new AbortController();
      await this.#clock.sleep(left, this.#waiting.signal);
      this.#waiting = undefined;
    }
    this.#beganAt = this.#clock.monotonic();
  }

  /** Lets a `next` that waits resolve at once: enough has come together, or nothing more will. */
  hurry(): void {
    this.#waiting?.abort();
  }
}
