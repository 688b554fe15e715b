import { PendingPings } from "./pending-pings.ts";

/**
 * The streams of one component. A front with several places for a domain (ejabberd) draws one for each stanza, answers to
 * pings included, and loses what it draws for a place without a stream.
 */
export class StreamGroup {
  readonly pending = new PendingPings();
  readonly #size: number;
  #active = 0;
  #whole = Promise.withResolvers<void>();

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether all of them are accepted by the front. */
  get isWhole(): boolean {
    return this.#active >= this.#size;
  }

  /** Resolves when all of them are. */
  get whole(): Promise<void> {
    return this.#whole.promise;
  }

  /** The front has accepted one. */
  join(): void {
    this.#active += 1;
    if (this.isWhole) this.#whole.resolve();
  }

  /** One that the front had accepted is over. */
  leave(): void {
    if (this.isWhole) this.#whole = Promise.withResolvers<void>();
    this.#active -= 1;
  }
}
