import { type SecureContext } from "node:tls";

import { type Clock, detached, type Millis } from "@reveille/wakeup";

import { type AddressRule } from "./address-rule.ts";
import { type DialbackKeys } from "./dialback-key.ts";
import { findServer, type NameResolver } from "./find-server.ts";
import { type DialbackAnswer, type DialbackClaim, type ProofMethod } from "./inbound-stream.ts";
import { NOT_CONFIRMED, OutboundStream } from "./outbound-stream.ts";

export interface OutboundLimits {
  /** Streams that are being negotiated at once. */
  readonly connecting: number;
  /** Streams in all. */
  readonly streams: number;
  /** Characters that wait for one stream to become ready. */
  readonly waiting: number;
  readonly connectWithin: Millis;
  readonly negotiateWithin: Millis;
  /** How long a peer that could not be reached is left alone. */
  readonly retryAfter: Millis;
  /** A stream that nobody has used for so long is closed. */
  readonly idleFor: Millis;
  /** How often a peer is asked whether what we send arrives, and how long its answer may take. */
  readonly confirmEvery: Millis;
  readonly confirmWithin: Millis;
  /** What is older is not sent again when a stream turns out to be dead: nobody waits for it any more. */
  readonly repliesFor: Millis;
}

export interface OutboundPorts {
  readonly clock: Clock;
  readonly keys: DialbackKeys;
  readonly resolver: NameResolver;
  readonly isAllowed: AddressRule;
  readonly limits: OutboundLimits;
  /** Our certificate for a hostname as a client; `undefined` if the hostname is not ours any more. */
  readonly contextFor: (hostname: string) => SecureContext | undefined;
  readonly onReady: (domain: string, method: ProofMethod) => void;
  /** `dropped`: stanzas that were to go there. */
  readonly onUnreachable: (domain: string, because: string, dropped: number) => void;
}

/** A peer that never answers such a question is not asked: perhaps it cannot reach us. */
const MOST_UNCONFIRMED = 2;

interface Waiting {
  readonly xml: string;
  readonly onDropped: (() => void) | undefined;
}

interface Way {
  readonly from: string;
  readonly to: string;
  stream: OutboundStream | undefined;
  /** Stanzas for when the stream is ready, and their characters. */
  waiting: Waiting[];
  waitingLength: number;
  /** Streams in a row that were given up since nothing was confirmed on them. */
  unconfirmed: number;
  /** Monotonic. */
  usedAt: number;
  blockedUntil: number;
}

/** All streams that we have opened, one for each pair of our hostname and a peer's domain; opened when first needed. */
export class OutboundStreams {
  readonly #ports: OutboundPorts;
  readonly #ways = new Map<string, Way>();
  #connecting = 0;
  #open = 0;
  #isClosed = false;

  constructor(ports: OutboundPorts) {
    this.#ports = ports;
  }

  /** Stanzas that wait for a stream to become ready. */
  get waiting(): number {
    return [...this.#ways.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** Streams that are open, or being opened. */
  get count(): number {
    return this.#open;
  }

  /** Sends a stanza to a domain, when there is a stream; `false` if it was dropped. `onDropped`: if it is dropped later. */
  send(from: string, to: string, xml: string, onDropped?: () => void): boolean {
    const way = this.#wayTo(from, to);
    if (way === undefined) return false;
    way.usedAt = this.#ports.clock.monotonic();
    if (way.stream?.isReady === true) {
      way.stream.send(xml);
      return true;
    }
    if (way.stream === undefined || way.waitingLength + xml.length > this.#ports.limits.waiting) return false;
    way.waiting.push({ xml, onDropped });
    way.waitingLength += xml.length;
    return true;
  }

  /** Asks the server of the domain that a key speaks for. */
  async verify(claim: DialbackClaim): Promise<DialbackAnswer> {
    const way = this.#wayTo(claim.receiving, claim.originating);
    return (await way?.stream?.verify(claim)) ?? "unreachable";
  }

  /** Closes streams that nobody uses, and forgets peers that may be tried again. */
  sweep(): void {
    const now = this.#ports.clock.monotonic();
    for (const [key, way] of this.#ways) {
      if (way.stream === undefined && now >= way.blockedUntil) this.#ways.delete(key);
      else if (way.stream?.isReady === true && now - way.usedAt > this.#ports.limits.idleFor)
        way.stream.close();
      else if (way.unconfirmed < MOST_UNCONFIRMED) way.stream?.confirm();
    }
  }

  /** A peer has answered a ping of ours. */
  answered(from: string, to: string, id: string): void {
    const way = this.#ways.get(keyOf(from, to));
    way?.stream?.answered(id);
  }

  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#ways.values()) stream?.close();
  }

  #wayTo(from: string, to: string): Way | undefined {
    const { clock, limits } = this.#ports;
    const key = keyOf(from, to);
    const known = this.#ways.get(key);
    if (known?.stream !== undefined && !known.stream.isLeaving) return known;
    const now = clock.monotonic();
    const context = this.#ports.contextFor(from);
    if (context === undefined) return undefined;
    const isBlocked = known !== undefined && now < known.blockedUntil;
    if (this.#isClosed || isBlocked || this.#connecting >= limits.connecting) return undefined;
    if (known === undefined && this.#ways.size >= limits.streams) return undefined;
    const unconfirmed = known?.unconfirmed ?? 0;
    // What outlives a stanza must not point into its text.
    const way: Way = {
      from: detached(from),
      to: detached(to),
      stream: undefined,
      ...nothingWaits(),
      unconfirmed,
      usedAt: now,
      blockedUntil: 0,
    };
    this.#ways.set(detached(key), way);
    way.stream = this.#openStream(way, context);
    return way;
  }

  #openStream(way: Way, secureContext: SecureContext): OutboundStream {
    const { clock, keys, resolver, isAllowed, limits, onReady } = this.#ports;
    const { from, to } = way;
    let isConnecting = true;
    const connected = (): void => {
      if (isConnecting) this.#connecting -= 1;
      isConnecting = false;
    };
    this.#connecting += 1;
    this.#open += 1;
    return new OutboundStream({
      from,
      to,
      endpoints: async () => findServer(to, resolver, isAllowed),
      secureContext,
      keys,
      clock,
      connectWithin: limits.connectWithin,
      negotiateWithin: limits.negotiateWithin,
      confirmEvery: limits.confirmEvery,
      confirmWithin: limits.confirmWithin,
      unconfirmedLength: limits.waiting,
      onReady: (method, stream) => {
        connected();
        for (const { xml } of way.waiting) stream.send(xml);
        Object.assign(way, nothingWaits());
        onReady(to, method);
      },
      onEnded: (because, stream) => {
        const wasReady = !isConnecting;
        connected();
        this.#open -= 1;
        this.#ended(way, { because, wasReady, stream });
      },
    });
  }

  #ended(
    way: Way,
    end: { readonly because: string; readonly wasReady: boolean; readonly stream: OutboundStream },
  ): void {
    const { clock, limits, onUnreachable } = this.#ports;
    // A stream that had served and is over is opened again when it is needed.
    if (!end.wasReady) {
      onUnreachable(way.to, end.because, way.waiting.length);
      way.blockedUntil = clock.monotonic() + limits.retryAfter;
    }
    way.stream = undefined;
    const { waiting } = way;
    Object.assign(way, nothingWaits());
    for (const { onDropped } of waiting) onDropped?.();
    if (end.wasReady && end.because === NOT_CONFIRMED) this.#sendAgain(way, end.stream);
  }

  /** A stream was dead: what may not have arrived goes over a new one, once. */
  #sendAgain(way: Way, stream: OutboundStream): void {
    const { clock, limits } = this.#ports;
    way.unconfirmed = stream.isConfirmed ? 1 : way.unconfirmed + 1;
    if (way.unconfirmed >= MOST_UNCONFIRMED) return;
    for (const xml of stream.unconfirmedSince(clock.monotonic() - limits.repliesFor))
      this.send(way.from, way.to, xml);
  }
}

const nothingWaits = (): Pick<Way, "waiting" | "waitingLength"> => ({ waiting: [], waitingLength: 0 });

const keyOf = (from: string, to: string): string => `${from} ${to}`;
