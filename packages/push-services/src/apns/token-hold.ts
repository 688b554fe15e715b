import { type Clock, between, type Millis, minutes } from "@reveille/wakeup";

import { type Hold } from "../pool/profile.ts";
import { type ProviderToken } from "./provider-token.ts";

/** Apple allows a connection one new token in 20 minutes; the margin is for pushes that overtake each other. */
const LEAST_HOLD = minutes(20.5);

/** Leaves ten of Apple's 60 minutes to a host whose clock is behind. */
const OLDEST = minutes(49);

/** Which provider token one connection shows. */
export class TokenHold implements Hold {
  readonly #current: () => ProviderToken;
  readonly #clock: Clock;
  #shown: ProviderToken | undefined;
  #since: Millis;

  constructor(current: () => ProviderToken, clock: Clock) {
    this.#current = current;
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** The token for the next push: the current one, unless this connection has changed tokens too recently. */
  readonly bearer = (): string => {
    const shown = this.#shown;
    const current = this.#current();
    if (shown?.issuedAt === current.issuedAt) return shown.bearer;
    const now = this.#clock.monotonic();
    if (shown !== undefined && now - this.#since < LEAST_HOLD) return shown.bearer;
    this.#shown = current;
    this.#since = now;
    return current.bearer;
  };

  /**
   * The token shown gets too old before it may be changed. So it goes with a connection that was opened late in
   * a term; a connection opened now starts with a younger token.
   */
  get tooOld(): boolean {
    const shown = this.#shown;
    if (shown === undefined || between(shown.issuedAt, this.#clock.now()) < OLDEST) return false;
    return this.#clock.monotonic() - this.#since < LEAST_HOLD;
  }
}
