import { Resolver } from "node:dns/promises";
import { type Socket } from "node:net";

import {
  type Clock,
  type FrontEvent,
  type FrontLimit,
  type Health,
  type PartHealth,
  seconds,
} from "@reveille/wakeup";

import { Availability, type DrainAnswer, type HostStates } from "./availability.ts";
import { ComponentStream } from "./component/component-stream.ts";
import { Components } from "./component/components.ts";
import { type FrontLimits, LIMITS } from "./limits.ts";
import { listen, type ListenAddress, type Listener } from "./listen.ts";
import { type PeerAddresses, PeerListeners } from "./peer-listeners.ts";
import { type Routed, Router } from "./router.ts";
import { type AddressRule, publicAddressesOnly } from "./s2s/address-rule.ts";
import { DialbackKeys } from "./s2s/dialback-key.ts";
import { type NameResolver } from "./s2s/find-server.ts";
import { OutboundStreams } from "./s2s/outbound-streams.ts";
import { Peers } from "./s2s/peers.ts";
import { type TlsMaterial, TlsServer } from "./s2s/tls-server.ts";

export interface FrontOptions {
  /** Certificates by the hostnames that this front serves, as A-labels in lower case. */
  readonly tls: TlsMaterial;
  readonly listen: PeerAddresses;
  /** Where components connect, and the secret that they share with us (XEP-0114). */
  readonly component: ListenAddress & { readonly secret: string };
  /** Shared by all fronts of a hostname (XEP-0185). */
  readonly dialbackSecret: string;
  readonly clock: Clock;
  readonly observe: (event: FrontEvent) => void;
  readonly limits?: Partial<FrontLimits>;
  /** The machine's DNS unless told. */
  readonly resolver?: NameResolver;
  /** Given the way to tell whether a component is connected for each hostname. Without it the front is there for good. */
  readonly hosts?: ((isServed: () => boolean) => HostStates) | undefined;
  /** Where streams may be opened to. Addresses of the open internet unless told. */
  readonly isAllowed?: AddressRule;
}

/** How much there is of what, now. */
export interface FrontReading {
  readonly connections: number;
  readonly unproven: number;
  readonly outbound: number;
  readonly components: number;
  readonly unanswered: number;
  readonly isListening: boolean;
  /** Since the start. */
  readonly routed: Readonly<Record<Routed, number>>;
}

export interface Front extends AsyncDisposable {
  readonly addresses: PeerAddresses & { readonly component: ListenAddress };
  readonly health: () => readonly PartHealth[];
  readonly reading: () => FrontReading;
  /** From the next handshake on, these are the certificates. Throws, with nothing changed, if they cannot be used. */
  readonly adopt: (tls: TlsMaterial) => void;
  /**
   * Accepts no new streams and closes those there are, in form. What peers had sent before they read that is still
   * passed on, and replies still leave. Resolves when all streams are over and all requests are answered, or at once with
   * what speaks against it: `always` drains in spite of that.
   */
  readonly drain: (when?: "harmless" | "always") => Promise<DrainAnswer>;
  /** Accepts streams again. Rejects if an address cannot be had any more. */
  readonly undoDrain: () => Promise<void>;
}

const SWEEP_EVERY = seconds(1);
const DRAIN_POLL = seconds(0.05);

/** Starts a front; resolves when it listens. Rejects if an address cannot be had or a certificate cannot be used. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const front = new RunningFront(options);
  try {
    await front.listen();
  } catch (error) {
    await front[Symbol.asyncDispose]();
    throw error;
  }
  return front;
}

class RunningFront implements Front {
  readonly #options: FrontOptions;
  readonly #limits: FrontLimits;
  readonly #stop = new AbortController();
  readonly #peers: Peers;
  readonly #tls: TlsServer;
  readonly #components: Components;
  readonly #outbound: OutboundStreams;
  readonly #router: Router;
  readonly #listeners: PeerListeners;
  readonly #availability: Availability;
  readonly #componentStreams = new Set<ComponentStream>();
  readonly #routed: Record<Routed, number> = {
    "to-component": 0,
    "to-peer": 0,
    answered: 0,
    dropped: 0,
    "reply-dropped": 0,
  };
  #componentListener: Listener | undefined;
  #hostnames: ReadonlySet<string>;

  constructor(options: FrontOptions) {
    const { clock, observe } = options;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#hostnames = new Set(options.tls.certificates.keys());
    const reached = (limit: FrontLimit) => (): void => observe({ kind: "limit-reached", limit });
    this.#listeners = new PeerListeners(options.listen, (socket, kind) => this.#peers.admit(socket, kind));
    this.#availability = new Availability({
      clock,
      listeners: this.#listeners,
      hosts: options.hosts?.(() => this.#unserved().length === 0),
      closeStreams: () => this.#peers.close(),
      onChanged: (state, because) =>
        observe({ kind: "listening-changed", state, ...(because === undefined ? {} : { because }) }),
    });
    this.#tls = new TlsServer(options.tls);
    const keys = new DialbackKeys(options.dialbackSecret);
    this.#components = new Components({
      ...this.#limits,
      clock,
      onUnanswered: (request) => this.#router.unanswered(request),
      onFull: reached("heldLength"),
    });
    this.#outbound = new OutboundStreams({
      clock,
      keys,
      resolver: options.resolver ?? new Resolver({ timeout: 3_000, tries: 2 }),
      isAllowed: options.isAllowed ?? publicAddressesOnly(),
      limits: this.#limits.outbound,
      contextFor: (hostname) => this.#tls.contextFor(hostname),
      onReady: (domain, method) => observe({ kind: "peer-proven", direction: "out", method, domain }),
      onUnreachable: (domain, because, dropped) =>
        observe({ kind: "peer-unreachable", domain, because, dropped }),
    });
    this.#router = new Router({
      clock,
      components: this.#components,
      outbound: this.#outbound,
      streams: { forReplies: (domain, hostname) => this.#peers.forReplies(domain, hostname) },
      onRouted: (what) => void (this.#routed[what] += 1),
    });
    this.#peers = new Peers({
      clock,
      keys,
      limits: this.#limits,
      observe,
      serves: (domain) => this.#hostnames.has(domain),
      isListening: () => this.#listeners.isOpen,
      startTls: async (socket) => this.#tls.start(socket),
      verify: async (claim) => this.#outbound.verify(claim),
      onStanza: (stanza, stream) => this.#router.fromPeer(stanza, stream),
      onEnded: (stream) => this.#router.ended(stream),
    });
    void this.#sweep();
    void this.#availability.follow(this.#stop.signal);
  }

  get addresses(): Front["addresses"] {
    const component = this.#componentListener?.address ?? this.#options.component;
    return { ...this.#listeners.addresses, component };
  }

  async listen(): Promise<void> {
    const { component } = this.#options;
    this.#componentListener = await listen(component, (socket) => this.#openComponent(socket));
    await this.#availability.start();
  }

  health(): readonly PartHealth[] {
    const missing = this.#unserved();
    return [
      {
        part: "components",
        health:
          missing.length === 0
            ? { kind: "ready" }
            : { kind: "failing", because: `no ingress is connected for ${missing.join(", ")}` },
      },
      { part: "listener", health: this.#listenerHealth() },
    ];
  }

  #listenerHealth(): Health {
    if (this.#listeners.isOpen) return { kind: "ready" };
    if (this.#availability.isDrained) return { kind: "draining" };
    return { kind: "failing", because: "streams go to another host, since this one is not ready" };
  }

  #unserved(): readonly string[] {
    return [...this.#hostnames].filter((hostname) => !this.#components.serves(hostname));
  }

  reading(): FrontReading {
    return {
      connections: this.#peers.connections,
      unproven: this.#peers.unproven,
      outbound: this.#outbound.count,
      components: this.#components.count,
      unanswered: this.#components.open,
      isListening: this.#listeners.isOpen,
      routed: { ...this.#routed },
    };
  }

  adopt(tls: TlsMaterial): void {
    this.#tls.adopt(tls);
    this.#hostnames = new Set(tls.certificates.keys());
    for (const component of this.#componentStreams)
      if (component.isActive && !this.#hostnames.has(component.hostname)) component.connection.close();
  }

  async drain(when: "harmless" | "always" = "harmless"): Promise<DrainAnswer> {
    const because = when === "always" ? undefined : await this.#availability.objection();
    if (because !== undefined) return { kind: "refused", because };
    this.#availability.drain();
    await this.#idle();
    return { kind: "drained" };
  }

  async undoDrain(): Promise<void> {
    await this.#availability.undoDrain();
  }

  /** Resolves when peers have closed their streams, and nothing waits for an answer. */
  async #idle(): Promise<void> {
    const { clock } = this.#options;
    while (this.#peers.streams > 0 && !this.#stop.signal.aborted)
      await clock.sleep(DRAIN_POLL, this.#stop.signal);
    while (this.#components.open + this.#outbound.waiting > 0 && !this.#stop.signal.aborted) {
      await clock.sleep(DRAIN_POLL, this.#stop.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain("always");
    this.#stop.abort();
    this.#outbound.close();
    this.#componentListener?.stop();
    for (const component of this.#componentStreams) component.connection.close();
  }

  #openComponent(socket: Socket): void {
    const { component, clock, observe } = this.#options;
    const stream = new ComponentStream(socket, {
      clock,
      secret: component.secret,
      serves: (hostname) => this.#hostnames.has(hostname),
      onActive: (active) => {
        this.#components.add(active);
        observe({ kind: "component-changed", hostname: active.hostname, state: "active" });
      },
      onStanza: (element, from) => this.#router.fromComponent(element, from),
      onEnded: (because, ended) => this.#componentEnded(ended, because),
    });
    this.#componentStreams.add(stream);
  }

  #componentEnded(stream: ComponentStream, because: string): void {
    this.#componentStreams.delete(stream);
    this.#components.remove(stream);
    this.#router.componentEnded(stream);
    this.#options.observe({ kind: "component-changed", hostname: stream.hostname, state: "gone", because });
  }

  async #sweep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#options.clock.sleep(SWEEP_EVERY, this.#stop.signal);
      this.#components.sweep();
      this.#outbound.sweep();
    }
  }
}
