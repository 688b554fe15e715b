import { ManualClock } from "@reveille/testkit";
import { type Clock, type Millis, millis, seconds } from "@reveille/wakeup";
import { vi } from "vitest";

/** Moves time on from poll to poll: it knows when the sidecar rests between two of them. */
export class PollClock implements Clock {
  readonly #time = new ManualClock();
  #rests = 0;

  readonly now = this.#time.now;
  readonly monotonic = this.#time.monotonic;
  readonly sleep = (duration: Millis, signal?: AbortSignal): Promise<void> => {
    if (duration === seconds(1)) this.#rests += 1;
    return this.#time.sleep(duration, signal);
  };

  /** Lets `times` polls in the background begin and end. */
  async polls(times = 1): Promise<void> {
    for (let done = 0; done < times; done += 1) {
      const rests = this.#rests;
      await this.#time.advance(seconds(1));
      await vi.waitUntil(() => this.#rests === rests + 1);
    }
  }

  /** Lets a poll in the background begin and end in which a role leaves the question unanswered. */
  async pollOfHung(): Promise<void> {
    const rests = this.#rests;
    await this.#time.advance(seconds(1));
    await this.patienceEnds(1);
    await vi.waitUntil(() => this.#rests === rests + 1);
  }

  /** Lets the patience with a role run out, once `sleepers` wait. */
  async patienceEnds(sleepers: number): Promise<void> {
    await vi.waitUntil(() => this.#time.sleepers === sleepers);
    await this.#time.advance(millis(900));
  }
}
