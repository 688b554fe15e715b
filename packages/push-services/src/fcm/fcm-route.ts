import { type Clock, type Health, minutes, type Observe, type Outcome } from "@reveille/wakeup";

import { credentialTrouble, readSecretFile } from "../credentials/secret-file.ts";
import { type Endpoint, type Resolve } from "../http2/endpoint.ts";
import { type OpenWire } from "../http2/wire.ts";
import { type FcmSettings } from "../module-settings.ts";
import { pause } from "../pool/judgement.ts";
import { type Push } from "../pool/passage.ts";
import { Pool } from "../pool/pool.ts";
import { type Hold, type Profile } from "../pool/profile.ts";
import { type PushRoute } from "../pool/push-route.ts";
import { AccessTokens, type Failure, type TokenSource } from "./access-tokens.ts";
import { fcmEndpointOf, tokenEndpointOf } from "./endpoints.ts";
import { judgeFcm, UNAUTHENTICATED } from "./fcm-judgement.ts";
import { loadServiceAccount, type LoadedAccount } from "./service-account.ts";

export interface FcmRouteOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly resolve: Resolve;
  readonly wires: (endpoint: Endpoint, resolve: Resolve) => OpenWire;
  /** From 0 to below 1, for jitter. */
  readonly random: () => number;
}

/** Google takes 100 pushes at once from the start, and ends connections that ping without pushing. */
const FCM: Profile = {
  judge: judgeFcm,
  readGoaway: (detail) => ({ reason: /^\w{1,64}$/.test(detail) ? detail : "none given", refused: false }),
  provesFirst: false,
  pingsIdle: false,
};

/** Google ends a connection after an hour (`max_age`); ours leaves before that, and not all at once. */
const OLDEST = minutes(50);

/** Throws an Error that names the file of the credential if it cannot be used; the connections come up later. */
export async function openFcmRoute(settings: FcmSettings, options: FcmRouteOptions): Promise<FcmRoute> {
  const { serviceAccountFile: file, caFile } = settings;
  const loaded = await loadServiceAccount(file);
  const ca =
    caFile === undefined ? undefined : (await readSecretFile(caFile, "certificate authorities")).content;
  if (loaded.exposed) options.observe({ kind: "credential-exposed", file });
  return new FcmRoute({ settings, options, loaded, ca });
}

interface Parts {
  readonly settings: FcmSettings;
  readonly options: FcmRouteOptions;
  readonly loaded: LoadedAccount;
  readonly ca: Buffer | undefined;
}

/** The way to FCM for one project. A changed service account is used once Google has given it an access token. */
export class FcmRoute implements PushRoute {
  readonly awaitsProof = false;
  readonly expiresAt = undefined;
  readonly #parts: Parts;
  readonly #pool: Pool;
  readonly #tokens: AccessTokens;
  #version: string;
  /** The version that Google has refused, or the trouble with the file: each is told once. */
  #refused: string | undefined;

  constructor(parts: Parts) {
    const { settings, options, loaded, ca } = parts;
    const { clock, observe, random, resolve, wires } = options;
    const endpoint = fcmEndpointOf(settings, ca);
    const name = `fcm ${endpoint.host} ${settings.projectId}`;
    this.#parts = parts;
    this.#version = loaded.version;
    this.#tokens = new AccessTokens(this.#sourceOf(loaded), clock, (issuedAt) =>
      observe({ kind: "provider-token-rotated", pool: name, issuedAt }),
    );
    void this.#tokens.renew();
    this.#pool = new Pool({
      name,
      openWire: wires(endpoint, resolve),
      newHold: () => this.#newHold(),
      profile: FCM,
      clock,
      observe,
      random,
    });
  }

  get freeSlots(): number {
    return this.#pool.freeSlots;
  }

  get health(): Health {
    const { failure } = this.#tokens;
    return failure === undefined ? this.#pool.health : { kind: "failing", because: failure.because };
  }

  send(push: Push): void {
    if (this.#tokens.isThere) this.#push(push, true);
    else void this.#pushRenewed(push, true);
  }

  async reload(): Promise<void> {
    const { serviceAccountFile } = this.#parts.settings;
    try {
      const loaded = await loadServiceAccount(serviceAccountFile);
      if (loaded.version !== this.#version && loaded.version !== this.#refused) await this.#try(loaded);
      // Of a module that nobody uses it would otherwise be said for ever that it cannot send.
      else if (this.#tokens.failure !== undefined) await this.#tokens.renew();
    } catch (error) {
      // Half written, gone or wrong: the account in use stays, and people are told, once.
      const because = credentialTrouble(error);
      if (because !== this.#refused) this.#tell("refused", because);
      this.#refused = because;
    }
  }

  /** Settles what is under way (20 s at most), then closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #try(loaded: LoadedAccount): Promise<void> {
    this.#tell("trying");
    const failure = await this.#tokens.tryOther(this.#sourceOf(loaded));
    // Without an answer it is tried again in a minute.
    if (failure?.kind === "refused") this.#refused = loaded.version;
    if (failure !== undefined) return this.#tell("refused", failure.because);
    this.#version = loaded.version;
    this.#refused = undefined;
    this.#tell("in-use");
  }

  /** An access token that Google no longer takes is renewed once, and the push, which was not processed, repeated. */
  #push(push: Push, mayRenew: boolean): void {
    const { bearer } = this.#tokens;
    const settle = (outcome: Outcome): void => {
      if (!mayRenew || outcome.kind !== "rejected" || !UNAUTHENTICATED.includes(outcome.reason)) {
        return push.settle(outcome);
      }
      void this.#tokens
        .replace(bearer)
        .then((replaced) => (replaced ? this.#pushRenewed(push, false) : push.settle(outcome)));
    };
    this.#pool.send({ ...push, settle });
  }

  async #pushRenewed(push: Push, mayRenew: boolean): Promise<void> {
    if (!this.#tokens.isThere) await this.#tokens.renew();
    const { failure } = this.#tokens;
    if (failure === undefined) this.#push(push, mayRenew);
    else push.settle(outcomeOf(failure));
  }

  #newHold(): Hold {
    const { clock, random } = this.#parts.options;
    const tokens = this.#tokens;
    const openedAt = clock.monotonic();
    const oldest = OLDEST * (1 - random() / 10);
    return {
      bearer: () => tokens.bearer,
      get tooOld() {
        return clock.monotonic() - openedAt >= oldest;
      },
    };
  }

  #sourceOf({ account }: LoadedAccount): TokenSource {
    const { settings, options, ca } = this.#parts;
    const endpoint = tokenEndpointOf(account.tokenUri, settings, ca);
    return { account, openWire: options.wires(endpoint, options.resolve) };
  }

  #tell(state: "trying" | "in-use" | "refused", because?: string): void {
    const pool = this.#pool.name;
    this.#parts.options.observe({
      kind: "credential-changed",
      pool,
      state,
      ...(because === undefined ? {} : { because }),
    });
  }
}

function outcomeOf({ kind, because: reason, retryAfter }: Failure): Outcome {
  return kind === "refused"
    ? { kind: "rejected", reason, blame: "module", ...pause(retryAfter) }
    : { kind: "unreachable", reason, ...pause(retryAfter) };
}
