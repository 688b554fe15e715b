import { type Socket } from "node:net";
import { type TLSSocket } from "node:tls";

import { type Clock, type FrontEvent } from "@reveille/wakeup";

import { type FrontLimits } from "../limits.ts";
import { type PeerAddresses } from "../peer-listeners.ts";
import { NOT_READING } from "../stream/xmpp-connection.ts";
import { type Admitted, ConnectionCounter } from "./connection-limits.ts";
import { type DialbackKeys } from "./dialback-key.ts";
import {
  type DialbackAnswer,
  type DialbackClaim,
  type InboundPorts,
  InboundStream,
  type PeerStanza,
} from "./inbound-stream.ts";
import { LookUpBudget } from "./look-up-budget.ts";
import { ProvenStreams } from "./proven-streams.ts";

export interface PeersOptions {
  readonly clock: Clock;
  readonly keys: DialbackKeys;
  readonly limits: FrontLimits;
  readonly observe: (event: FrontEvent) => void;
  readonly serves: (domain: string) => boolean;
  readonly isListening: () => boolean;
  readonly startTls: (socket: Socket) => Promise<TLSSocket>;
  readonly verify: (claim: DialbackClaim) => Promise<DialbackAnswer>;
  readonly onStanza: (stanza: PeerStanza, stream: InboundStream) => void;
  readonly onEnded: (stream: InboundStream) => void;
}

/** All streams that peers have opened to us. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #counter: ConnectionCounter;
  readonly #proven: ProvenStreams;
  readonly #lookUps: LookUpBudget;
  readonly #ports: InboundPorts;
  readonly #streams = new Map<InboundStream, Admitted>();

  constructor(options: PeersOptions) {
    const { limits, observe } = options;
    this.#options = options;
    const onEvicted = (): void => observe({ kind: "limit-reached", limit: "unproven" });
    this.#counter = new ConnectionCounter({ ...limits, onEvicted });
    this.#proven = new ProvenStreams(limits.streamsOfDomain);
    this.#lookUps = new LookUpBudget(limits);
    this.#ports = {
      ...options,
      limits: { ...limits.inbound, stanzaLength: limits.stanzaLength },
      verify: async (claim, address) => this.#verify(claim, address),
      onProven: (domain, method, stream) => {
        this.#streams.get(stream)?.prove();
        const oldest = this.#proven.add(domain, stream);
        if (oldest !== undefined) observe({ kind: "limit-reached", limit: "streamsOfDomain" });
        oldest?.close();
        observe({ kind: "peer-proven", direction: "in", method, domain });
      },
      onEnded: (because, stream) => this.#ended(because, stream),
    };
  }

  get connections(): number {
    return this.#counter.connections;
  }

  get unproven(): number {
    return this.#counter.unproven;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Takes in a connection, unless it is one too many. */
  admit(socket: Socket, kind: keyof PeerAddresses): void {
    const admitted = this.#counter.admit(socket.remoteAddress ?? "", () => socket.resetAndDestroy());
    if (typeof admitted === "string") {
      this.#options.observe({ kind: "limit-reached", limit: admitted });
      return void socket.resetAndDestroy();
    }
    if (kind === "direct") void this.#handshake(socket, admitted);
    else this.#streams.set(new InboundStream(socket, this.#ports), admitted);
  }

  /** The stream on which a peer takes replies of this hostname. */
  forReplies(domain: string, hostname: string): InboundStream | undefined {
    return this.#proven.forReplies(domain, hostname);
  }

  /** Closes all in form. */
  close(): void {
    for (const stream of this.#streams.keys()) stream.close();
  }

  /** Direct TLS: there is no stream before the handshake is done. */
  async #handshake(socket: Socket, admitted: Admitted): Promise<void> {
    const { clock, limits, startTls, isListening } = this.#options;
    const done = new AbortController();
    socket.once("close", () => {
      done.abort();
      admitted.leave();
    });
    try {
      const within = clock.sleep(limits.inbound.tlsWithin, done.signal);
      const secured = await Promise.race([startTls(socket), within]);
      if (secured === undefined || secured.destroyed) return void socket.destroy();
      if (!isListening()) return void secured.destroy();
      this.#streams.set(new InboundStream(secured, this.#ports), admitted);
    } catch {
      socket.destroy();
    } finally {
      done.abort();
    }
  }

  async #verify(claim: DialbackClaim, address: string): Promise<DialbackAnswer | "refused"> {
    const giveBack = this.#lookUps.take(address);
    if (typeof giveBack === "string") {
      this.#options.observe({ kind: "limit-reached", limit: giveBack });
      return "refused";
    }
    try {
      return await this.#options.verify(claim);
    } finally {
      giveBack();
    }
  }

  #ended(because: string, stream: InboundStream): void {
    const { observe, onEnded } = this.#options;
    onEnded(stream);
    this.#proven.remove(stream);
    if (because === NOT_READING) observe({ kind: "limit-reached", limit: "unsentLength" });
    this.#streams.get(stream)?.leave();
    this.#streams.delete(stream);
    observe({ kind: "peer-stream-ended", because, domains: [...stream.domains] });
  }
}
