import { detached } from "@reveille/wakeup";

import { type PendingPublish } from "./pending-publish.ts";

export interface LineLimits {
  /** Most publishes in hand. */
  readonly publishes: number;
  /** Most memory they may take, in bytes. */
  readonly bytes: number;
}

/** Names of domains with nothing in hand that are kept: to copy a name costs more than the rest of the line. */
const KEPT = 1_024;

/** How much of the line one domain may have: the rest stays free for the others while it floods. */
const SHARE_OF_ONE = 3 / 4;

interface Held {
  publishes: number;
  bytes: number;
}

/** Publishes in hand, oldest first. Full when either bound is reached, for one domain at three quarters of it. */
export class Line {
  readonly #limits: LineLimits;
  readonly #waiting: PendingPublish[] = [];
  /** All in hand, those taken included. */
  readonly #held: Held = { publishes: 0, bytes: 0 };
  /** The same of each domain that has something in hand, or had lately. */
  readonly #heldOf = new Map<string, Held>();
  /** With so many domains, those with nothing in hand are forgotten. */
  #most = KEPT;

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  /** Publishes in hand, those taken included. */
  get inHand(): number {
    return this.#held.publishes;
  }

  /** Publishes in the line, those taken not included. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** First of those in the line. */
  get oldest(): PendingPublish | undefined {
    return this.#waiting[0];
  }

  /** Whether there was room. */
  join(waiting: PendingPublish): boolean {
    const { payer, size } = waiting;
    const own = this.#heldOf.get(payer) ?? this.#newcomer(payer);
    if (this.#isFull(this.#held, 1) || this.#isFull(own, SHARE_OF_ONE)) return false;
    this.#waiting.push(waiting);
    add(this.#held, 1, size);
    add(own, 1, size);
    return true;
  }

  /** Takes the oldest `most` out of the line; they stay in hand until `leave`. */
  take(most: number): PendingPublish[] {
    return this.#waiting.splice(0, most);
  }

  /** Takes those out that came at `then` or before, by the monotonic clock. */
  takeOlderThan(then: number): PendingPublish[] {
    const first = this.#waiting.findIndex(({ since }) => since > then);
    return this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
  }

  /** Puts back, in front of all others, what `take` gave. */
  putBack(waiting: readonly PendingPublish[]): void {
    this.#waiting.unshift(...waiting);
  }

  /** Is no longer in hand. */
  leave({ payer, size }: PendingPublish): void {
    add(this.#held, -1, -size);
    const own = this.#heldOf.get(payer);
    if (own !== undefined) add(own, -1, -size);
  }

  #newcomer(payer: string): Held {
    if (this.#heldOf.size >= this.#most) this.#forgetIdle();
    const held = { publishes: 0, bytes: 0 };
    this.#heldOf.set(detached(payer), held);
    return held;
  }

  #forgetIdle(): void {
    for (const [domain, { publishes }] of this.#heldOf) {
      if (publishes === 0) this.#heldOf.delete(domain);
    }
    // While many are in hand, not with each newcomer again.
    this.#most = Math.max(KEPT, 2 * this.#heldOf.size);
  }

  #isFull({ publishes, bytes }: Held, share: number): boolean {
    return publishes >= this.#limits.publishes * share || bytes >= this.#limits.bytes * share;
  }
}

function add(held: Held, publishes: number, bytes: number): void {
  held.publishes += publishes;
  held.bytes += bytes;
}
