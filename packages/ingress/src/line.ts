import { type Waiting } from "./waiting.ts";

export interface LineLimits {
  /** Most publishes in hand. */
  readonly publishes: number;
  /** Most memory they may take, in bytes. */
  readonly bytes: number;
}

/** Publishes in hand, oldest first. Full when either bound is reached. */
export class Line {
  readonly #limits: LineLimits;
  readonly #waiting: Waiting[] = [];
  /** Of all in hand, those taken included. */
  #count = 0;
  #bytes = 0;

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  /** Publishes in hand, those taken included. */
  get inHand(): number {
    return this.#count;
  }

  /** Publishes in the line, those taken not included. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** First of those in the line. */
  get oldest(): Waiting | undefined {
    return this.#waiting[0];
  }

  /** Whether there was room. */
  join(waiting: Waiting): boolean {
    if (this.#count >= this.#limits.publishes || this.#bytes >= this.#limits.bytes) return false;
    this.#waiting.push(waiting);
    this.#count += 1;
    this.#bytes += waiting.size;
    return true;
  }

  /** Takes the oldest `most` out of the line; they stay in hand until `leave`. */
  take(most: number): Waiting[] {
    return this.#waiting.splice(0, most);
  }

  /** Takes those out that came at `then` or before, by the monotonic clock. */
  takeOlderThan(then: number): Waiting[] {
    const first = this.#waiting.findIndex(({ since }) => since > then);
    return this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
  }

  /** Puts back, in front of all others, what `take` gave. */
  putBack(waiting: readonly Waiting[]): void {
    this.#waiting.unshift(...waiting);
  }

  /** Is no longer in hand. */
  leave(waiting: Waiting): void {
    this.#count -= 1;
    this.#bytes -= waiting.size;
  }
}
