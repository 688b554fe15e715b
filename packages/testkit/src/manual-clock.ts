import { type Clock, type EpochMillis, epochMillis, later, type Millis, millis } from "@reveille/wakeup";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: EpochMillis;
  #elapsed = 0;
  #sleepers: Sleeper[] = [];

  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = epochMillis(now);
  }

  readonly now = (): EpochMillis => this.#now;

  readonly monotonic = (): Millis => millis(this.#elapsed);

  readonly sleep = async (duration: Millis, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", wake);
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#elapsed + duration, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", wake, { once: true });
    });
  };

  /** How many calls of `sleep` are waiting; a test waits for one before it advances. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Moves time on, waking every sleeper whose time comes, earliest first, and lets their code run. */
  async advance(by: Millis): Promise<void> {
    const until = this.#elapsed + by;
    for (;;) {
      const [next] = this.#sleepers.toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > until) break;
      this.#move(next.at - this.#elapsed);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#move(until - this.#elapsed);
  }

  /** Steps the wall clock (NTP, a wrong host) without letting time pass. */
  step(by: number): void {
    this.#now = epochMillis(this.#now + by);
  }

  #move(by: number): void {
    this.#elapsed += by;
    this.#now = later(this.#now, millis(by));
  }
}
