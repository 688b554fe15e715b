import { type Clock, type EpochMillis, type Health, type Observe, type Outcome } from "@reveille/wakeup";

import { loadCredential, type LoadedCredential } from "../credentials/credential.ts";
import { credentialTrouble } from "../credentials/secret-file.ts";
import { type Resolve } from "../http2/endpoint.ts";
import { frameWires } from "../http2/frames/frame-wire.ts";
import { nodeWires } from "../http2/node-wire.ts";
import { type ApnsSettings } from "../module-settings.ts";
import { endpointOf, poolNameOf } from "./endpoint-of.ts";
import { type Push } from "../pool/passage.ts";
import { Pool } from "../pool/pool.ts";
import { type PushRoute } from "../pool/push-route.ts";
import { APNS } from "./profile.ts";
import { providerTokens } from "./provider-token.ts";
import { TokenHold } from "./token-hold.ts";

/** What speaks HTTP/2: our own frames, or `node:http2`, at five times the cost. */
export type Engine = "frames" | "node";

export const WIRES = { frames: frameWires, node: nodeWires } as const;

export interface RouteOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly resolve: Resolve;
  readonly engine: Engine;
  /** From 0 to below 1, for jitter. */
  readonly random: () => number;
}

/** Refused with either credential. */
const REFUSED_DEVICES = 3;

/** A pool with the credential it was made from. */
interface Way {
  readonly pool: Pool;
  readonly loaded: LoadedCredential;
}

/** Throws as {@link loadCredential} does; the connections come up later. */
export async function openRoute(settings: ApnsSettings, options: RouteOptions): Promise<Route> {
  return new Route(settings, options, await loadCredential(settings));
}

/**
 * The way to APNs with one credential, whose files may change meanwhile. A changed credential gets a pool of its
 * own and, one by one, pushes to prove itself with; the old one serves until Apple has accepted the new one.
 */
export class Route implements PushRoute {
  readonly #settings: ApnsSettings;
  readonly #options: RouteOptions;
  readonly #retiring = new Set<Promise<void>>();
  #serving: Way;
  #candidate: Way | undefined;
  #proving = false;
  /** Pushes that both credentials were refused for: the credential may be at fault, or the device. */
  #unproven = new Set<string>();
  #closed = false;
  /** The version that Apple has refused, or the trouble with the files: each is told once. */
  #refused: string | undefined;

  constructor(settings: ApnsSettings, options: RouteOptions, loaded: LoadedCredential) {
    this.#settings = settings;
    this.#options = options;
    this.#serving = this.#open(loaded);
  }

  /** A new credential is there, and the next push will show what it is worth. */
  get awaitsProof(): boolean {
    return !this.#proving && this.#candidate?.pool.health.kind === "ready";
  }

  /** At least one while a push is wanted as proof: the old credential's pool may have no connection at all. */
  get freeSlots(): number {
    const { freeSlots } = this.#serving.pool;
    return this.awaitsProof ? Math.max(1, freeSlots) : freeSlots;
  }

  get health(): Health {
    return this.#serving.pool.health;
  }

  /** When the certificate in use expires; a key does not. */
  get expiresAt(): EpochMillis | undefined {
    const { credential } = this.#serving.loaded;
    return credential.kind === "certificate" ? credential.certificate.expiresAt : undefined;
  }

  send(push: Push): void {
    const candidate = this.#candidate;
    if (candidate === undefined || !this.awaitsProof) return this.#serving.pool.send(push);
    this.#proving = true;
    candidate.pool.send({ ...push, settle: (outcome) => this.#proved(candidate, push, outcome) });
  }

  /** Looks whether the files have changed. Never rejects: what cannot be used is told, and not used. */
  async reload(): Promise<void> {
    const candidate = this.#candidate;
    const health = candidate?.pool.health;
    if (candidate !== undefined && health?.kind === "failing") this.#drop(candidate, health.because);
    const loaded = await this.#loaded();
    if (this.#closed || loaded === undefined || loaded.version === this.#refused) return;
    if (loaded.version === this.#candidate?.loaded.version) return;
    if (this.#candidate !== undefined) this.#drop(this.#candidate, "the files have changed again");
    if (loaded.version !== this.#serving.loaded.version) this.#try(loaded);
  }

  /** Settles what is under way (20 s at most), then closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#candidate !== undefined) this.#retire(this.#candidate);
    this.#candidate = undefined;
    this.#retire(this.#serving);
    await Promise.all(this.#retiring);
  }

  #open(loaded: LoadedCredential): Way {
    const { clock, observe, resolve, engine, random } = this.#options;
    const { credential, ca, exposed } = loaded;
    for (const file of exposed) observe({ kind: "credential-exposed", file });
    const endpoint = endpointOf(this.#settings, credential, ca);
    const name = poolNameOf(this.#settings, endpoint);
    const rotated = (issuedAt: EpochMillis): void =>
      observe({ kind: "provider-token-rotated", pool: name, issuedAt });
    const tokens =
      credential.kind === "token" ? providerTokens(credential.issuer, clock, rotated) : undefined;
    // Made before the first push asks for it, so that its age shows from the start.
    tokens?.();
    const pool = new Pool({
      name,
      openWire: WIRES[engine](endpoint, resolve),
      newHold: tokens === undefined ? undefined : () => new TokenHold(tokens, clock),
      profile: APNS,
      clock,
      observe,
      random,
    });
    return { pool, loaded };
  }

  #try(loaded: LoadedCredential): void {
    this.#unproven = new Set();
    this.#candidate = this.#open(loaded);
    this.#tell("trying");
  }

  #proved(candidate: Way, push: Push, outcome: Outcome): void {
    this.#proving = false;
    if (outcome.kind === "rejected" && outcome.blame === "module") {
      const because = outcome.reason;
      // Refused means not processed: the old credential may still do.
      return this.#serving.pool.send({
        ...push,
        settle: (other) => {
          this.#compare(candidate, push, { because, other });
          push.settle(other);
        },
      });
    }
    push.settle(outcome);
    if (outcome.kind !== "unreachable" && this.#candidate === candidate) this.#take(candidate);
  }

  /** What is refused with the old credential as well may be the device's fault; three devices have none in common. */
  #compare(
    candidate: Way,
    { device }: Push,
    refusal: { readonly because: string; readonly other: Outcome },
  ): void {
    if (this.#candidate !== candidate) return;
    const { because, other } = refusal;
    if (other.kind === "rejected" && other.blame === "module") this.#unproven.add(device);
    else if (other.kind !== "unreachable") return this.#refuse(candidate, because);
    if (this.#unproven.size >= REFUSED_DEVICES) this.#refuse(candidate, because);
  }

  #refuse(candidate: Way, because: string): void {
    this.#refused = candidate.loaded.version;
    this.#drop(candidate, because);
  }

  #take(candidate: Way): void {
    this.#retire(this.#serving);
    this.#serving = candidate;
    this.#candidate = undefined;
    this.#tell("in-use");
  }

  #drop(candidate: Way, because: string): void {
    this.#candidate = undefined;
    this.#retire(candidate);
    this.#tell("refused", because);
  }

  #retire({ pool }: Way): void {
    const closed = pool[Symbol.asyncDispose]().then(() => void this.#retiring.delete(closed));
    this.#retiring.add(closed);
  }

  async #loaded(): Promise<LoadedCredential | undefined> {
    try {
      return await loadCredential(this.#settings);
    } catch (error) {
      // Half written, gone or wrong: the credential in use stays, and people are told, once.
      const because = credentialTrouble(error);
      if (because !== this.#refused) this.#tell("refused", because);
      this.#refused = because;
      return undefined;
    }
  }

  #tell(state: "trying" | "in-use" | "refused", because?: string): void {
    const pool = this.#serving.pool.name;
    this.#options.observe({
      kind: "credential-changed",
      pool,
      state,
      ...(because === undefined ? {} : { because }),
    });
  }
}
