import { Resolver } from "node:dns/promises";
import { type Socket } from "node:net";

import { type Clock, type FrontEvent, type PartHealth, seconds } from "@reveille/wakeup";

import { ComponentStream } from "./component/component-stream.ts";
import { Components } from "./component/components.ts";
import { type FrontLimits, LIMITS } from "./limits.ts";
import { listen, type ListenAddress, type Listener } from "./listen.ts";
import { type Routed, Router } from "./router.ts";
import { type AddressRule, publicAddressesOnly } from "./s2s/address-rule.ts";
import { type Admitted, ConnectionCounter } from "./s2s/connection-limits.ts";
import { DialbackKeys } from "./s2s/dialback-key.ts";
import { type NameResolver } from "./s2s/find-server.ts";
import { type InboundPorts, InboundStream } from "./s2s/inbound-stream.ts";
import { OutboundStreams } from "./s2s/outbound-streams.ts";
import { type TlsMaterial, TlsServer } from "./s2s/tls-server.ts";

export interface FrontOptions {
  /** Certificates by the hostnames that this front serves, as A-labels in lower case. */
  readonly tls: TlsMaterial;
  /** Where peers connect: with STARTTLS, and with direct TLS. */
  readonly listen: { readonly starttls: readonly ListenAddress[]; readonly direct: readonly ListenAddress[] };
  /** Where components connect, and the secret that they share with us (XEP-0114). */
  readonly component: ListenAddress & { readonly secret: string };
  /** Shared by all fronts of a hostname (XEP-0185). */
  readonly dialbackSecret: string;
  readonly clock: Clock;
  readonly observe: (event: FrontEvent) => void;
  readonly limits?: Partial<FrontLimits>;
  /** The machine's DNS unless told. */
  readonly resolver?: NameResolver;
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
  /** Since the start. */
  readonly routed: Readonly<Record<Routed, number>>;
}

export interface Front extends AsyncDisposable {
  readonly addresses: {
    readonly starttls: readonly ListenAddress[];
    readonly direct: readonly ListenAddress[];
    readonly component: ListenAddress;
  };
  readonly health: () => readonly PartHealth[];
  readonly reading: () => FrontReading;
  /** From the next handshake on, these are the certificates. Throws, with nothing changed, if they cannot be used. */
  readonly adopt: (tls: TlsMaterial) => void;
  /**
   * Accepts no new streams and closes those there are, in form. What peers had sent before they read that is still
   * passed on, and replies still leave. Resolves when all streams are over.
   */
  readonly drain: () => Promise<void>;
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
  readonly #counter: ConnectionCounter;
  readonly #tls: TlsServer;
  readonly #components: Components;
  readonly #outbound: OutboundStreams;
  readonly #router: Router;
  readonly #streams = new Map<InboundStream, Admitted>();
  readonly #admitted = new WeakMap<Socket, Admitted>();
  readonly #componentStreams = new Set<ComponentStream>();
  readonly #routed: Record<Routed, number> = {
    "to-component": 0,
    "to-peer": 0,
    answered: 0,
    dropped: 0,
    "reply-dropped": 0,
  };
  readonly #ports: InboundPorts;
  #listeners: { starttls: Listener[]; direct: Listener[]; component: Listener | undefined } = {
    starttls: [],
    direct: [],
    component: undefined,
  };
  #hostnames: ReadonlySet<string>;
  #isDraining = false;

  constructor(options: FrontOptions) {
    const { clock, observe } = options;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#hostnames = new Set(options.tls.certificates.keys());
    this.#counter = new ConnectionCounter(this.#limits);
    this.#tls = new TlsServer(options.tls);
    const keys = new DialbackKeys(options.dialbackSecret);
    const serves = (domain: string): boolean => this.#hostnames.has(domain);
    this.#components = new Components({
      ...this.#limits,
      clock,
      onUnanswered: (request) => this.#router.unanswered(request),
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
      serves,
      onRouted: (what) => void (this.#routed[what] += 1),
    });
    this.#ports = this.#inboundPorts(keys, serves);
    void this.#sweep();
  }

  get addresses(): Front["addresses"] {
    const { starttls, direct, component } = this.#listeners;
    return {
      starttls: starttls.map(({ address }) => address),
      direct: direct.map(({ address }) => address),
      component: component?.address ?? this.#options.component,
    };
  }

  async listen(): Promise<void> {
    const { component } = this.#options;
    this.#listeners.component = await listen(component, (socket) => this.#openComponent(socket));
    const { starttls, direct } = this.#options.listen;
    for (const at of starttls)
      this.#listeners.starttls.push(
        await listen(at, (socket) => this.#admit(socket, () => this.#open(socket))),
      );
    for (const at of direct)
      this.#listeners.direct.push(
        await listen(at, (socket) => this.#admit(socket, () => void this.#handshake(socket))),
      );
    this.#options.observe({ kind: "listening-changed", state: "listening" });
  }

  health(): readonly PartHealth[] {
    const missing = [...this.#hostnames].filter((hostname) => !this.#components.serves(hostname));
    return [
      {
        part: "components",
        health:
          missing.length === 0
            ? { kind: "ready" }
            : { kind: "failing", because: `no ingress is connected for ${missing.join(", ")}` },
      },
    ];
  }

  reading(): FrontReading {
    return {
      connections: this.#counter.connections,
      unproven: this.#counter.unproven,
      outbound: this.#outbound.count,
      components: this.#components.count,
      unanswered: this.#components.open,
      routed: { ...this.#routed },
    };
  }

  adopt(tls: TlsMaterial): void {
    this.#tls.adopt(tls);
    this.#hostnames = new Set(tls.certificates.keys());
    for (const component of this.#componentStreams)
      if (component.isActive && !this.#hostnames.has(component.hostname)) component.connection.close();
  }

  async drain(): Promise<void> {
    const { clock, observe } = this.#options;
    const { starttls, direct } = this.#listeners;
    for (const listener of [...starttls, ...direct]) listener.stop();
    observe({ kind: "listening-changed", state: "stopped" });
    this.#isDraining = true;
    for (const stream of this.#streams.keys()) stream.close();
    while (this.#streams.size > 0 && !this.#stop.signal.aborted)
      await clock.sleep(DRAIN_POLL, this.#stop.signal);
    while (this.#components.open + this.#outbound.waiting > 0 && !this.#stop.signal.aborted) {
      await clock.sleep(DRAIN_POLL, this.#stop.signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    this.#stop.abort();
    this.#outbound.close();
    this.#listeners.component?.stop();
    for (const component of this.#componentStreams) component.connection.close();
  }

  #inboundPorts(keys: DialbackKeys, serves: (domain: string) => boolean): InboundPorts {
    const { clock, observe } = this.#options;
    return {
      clock,
      keys,
      serves,
      limits: { ...this.#limits.inbound, longestStanza: this.#limits.longestStanza },
      startTls: async (socket) => this.#tls.start(socket),
      verify: async (claim) => this.#outbound.verify(claim),
      onStanza: (stanza, stream) => this.#router.fromPeer(stanza, stream),
      onProven: (domain, method, stream) => {
        this.#streams.get(stream)?.prove();
        this.#router.proven(domain, stream);
        observe({ kind: "peer-proven", direction: "in", method, domain });
      },
      onBidi: (domain, stream) => this.#router.proven(domain, stream),
      onEnded: (because, stream) => {
        this.#router.ended(stream);
        this.#streams.get(stream)?.leave();
        this.#streams.delete(stream);
        observe({ kind: "peer-stream-ended", because, domains: [...stream.domains] });
      },
    };
  }

  #admit(socket: Socket, open: () => void): void {
    const admitted = this.#counter.admit(socket.remoteAddress ?? "");
    if (typeof admitted === "string") {
      this.#options.observe({ kind: "connection-refused", by: admitted });
      return void socket.resetAndDestroy();
    }
    this.#admitted.set(socket, admitted);
    open();
  }

  #open(socket: Socket): void {
    const admitted = this.#admitted.get(socket);
    if (admitted !== undefined) this.#streams.set(new InboundStream(socket, this.#ports), admitted);
  }

  /** Direct TLS: there is no stream before the handshake is done. */
  async #handshake(socket: Socket): Promise<void> {
    const admitted = this.#admitted.get(socket);
    const done = new AbortController();
    socket.once("close", () => {
      done.abort();
      admitted?.leave();
    });
    try {
      const within = this.#options.clock.sleep(this.#limits.inbound.tlsWithin, done.signal);
      const secured = await Promise.race([this.#tls.start(socket), within]);
      if (secured === undefined || secured.destroyed) return void socket.destroy();
      if (this.#isDraining) return void secured.destroy();
      if (admitted !== undefined) this.#streams.set(new InboundStream(secured, this.#ports), admitted);
    } catch {
      socket.destroy();
    } finally {
      done.abort();
    }
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
