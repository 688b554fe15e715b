import { type Clock, type EpochMillis, type Millis, millis, minutes, seconds } from "@reveille/wakeup";

import { type OpenWire } from "../http2/wire.ts";
import { type AccessToken, type Grant, requestAccessToken } from "./access-token.ts";
import { type ServiceAccount } from "./service-account.ts";

/** An account with the way to where its tokens come from. */
export interface TokenSource {
  readonly account: ServiceAccount;
  readonly openWire: OpenWire;
}

export type Failure = Exclude<Grant, { readonly kind: "granted" }>;

/** A source that gave none is left alone for so long. */
const PAUSE_AFTER_FAILURE = seconds(5);
/** Refused again so soon after, a push is not refused for its token. */
const REPLACE_EVERY = minutes(1);

/** The access token of this moment, shared by all pushes of a project; asked for one at a time. */
export class AccessTokens {
  readonly #clock: Clock;
  readonly #renewed: (at: EpochMillis) => void;
  #source: TokenSource;
  #token: AccessToken | undefined;
  /** By the monotonic clock: not before a token is replaced that Google refuses. */
  #replaceFrom: Millis = millis(0);
  #asking: Promise<void> | undefined;
  #failure: Failure | undefined;
  #notBefore: Millis = millis(0);

  /** `renewed` is called for each token got. */
  constructor(source: TokenSource, clock: Clock, renewed: (at: EpochMillis) => void) {
    this.#source = source;
    this.#clock = clock;
    this.#renewed = renewed;
  }

  /** Why there is none. */
  get failure(): Failure | undefined {
    return this.#token === undefined ? this.#failure : undefined;
  }

  /** The newest token's `authorization`, whatever it is worth; empty before the first. */
  get bearer(): string {
    return this.#token?.bearer ?? "";
  }

  /** There is one to show. Sees to it that it stays so: a stale one is shown until the next is there. */
  get isThere(): boolean {
    const now = this.#clock.now();
    if (this.#token !== undefined && now >= this.#token.endsAt) this.#token = undefined;
    if (this.#token !== undefined && now >= this.#token.staleAt) void this.renew();
    return this.#token !== undefined;
  }

  /** Resolves when there is a new token, or none to be had for now. Never rejects. */
  async renew(): Promise<void> {
    if (this.#clock.monotonic() < this.#notBefore) return;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  /**
   * Google has refused it: gets another one, once a minute. Resolves with whether there is another one to try;
   * until then, and if not, it goes on being shown, since the refusal may have been the push's. Never rejects.
   */
  async replace(bearer: string): Promise<boolean> {
    if (this.#token?.bearer === bearer) {
      const now = this.#clock.monotonic();
      if (this.#asking === undefined && now < this.#replaceFrom) return false;
      this.#replaceFrom = millis(now + REPLACE_EVERY);
      await this.renew();
      // The account is refused as well: now it is certain.
      if (this.#token?.bearer === bearer && this.#failure?.kind === "refused") this.#token = undefined;
    }
    return this.#token?.bearer !== bearer;
  }

  /** Uses another source if it gives a token; says why not otherwise. Never rejects. */
  async tryOther(source: TokenSource): Promise<Failure | undefined> {
    const grant = await requestAccessToken(source.account, source.openWire, this.#clock);
    if (grant.kind !== "granted") return grant;
    this.#source = source;
    this.#take(grant.token);
    return undefined;
  }

  async #ask(): Promise<void> {
    const { account, openWire } = this.#source;
    const grant = await requestAccessToken(account, openWire, this.#clock);
    // Meanwhile another account has come into use, and its token.
    if (account !== this.#source.account) return;
    if (grant.kind === "granted") return this.#take(grant.token);
    this.#failure = grant;
    const rest = Math.max(PAUSE_AFTER_FAILURE, grant.retryAfter ?? 0);
    this.#notBefore = millis(this.#clock.monotonic() + rest);
  }

  #take(token: AccessToken): void {
    this.#token = token;
    this.#failure = undefined;
    this.#notBefore = millis(0);
    this.#renewed(this.#clock.now());
  }
}
