import { type SimulatorClock } from "../clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it; it begins now, so that fresh bearers are valid. */
export class ManualClock implements SimulatorClock {
  #now = Date.now();
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((wake) => this.#sleepers.push({ at: this.#now + ms, wake }));
  }

  get sleepers(): number {
    return this.#sleepers.length;
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}
