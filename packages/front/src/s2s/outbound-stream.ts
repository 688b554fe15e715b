import { type Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";

import { type Clock, failureReason, type Millis, millis } from "@reveille/wakeup";
import { escapeAttribute } from "@reveille/xml";

import { type StreamElement, type StreamHeader } from "../stream/element-reader.ts";
import { DIALBACK, SASL, STARTTLS, STREAM_MANAGEMENT, STREAMS } from "../stream/namespaces.ts";
import { XmppConnection } from "../stream/xmpp-connection.ts";
import { Confirmation } from "./confirmation.ts";
import { type DialbackKeys } from "./dialback-key.ts";
import { dial, startClientTls } from "./dial.ts";
import { type Endpoint } from "./find-server.ts";
import { type DialbackAnswer, type DialbackClaim, type ProofMethod } from "./inbound-stream.ts";
import { parseDomain } from "./domain-name.ts";
import { peerCertificateOf } from "./peer-certificate.ts";
import { s2sHeader } from "./stream-header.ts";

export interface OutboundOptions {
  /** Our hostname, and the peer's domain. */
  readonly from: string;
  readonly to: string;
  readonly endpoints: () => Promise<readonly Endpoint[]>;
  /** Our certificate for `from`, and the authorities we trust. */
  readonly secureContext: SecureContext;
  readonly keys: DialbackKeys;
  readonly clock: Clock;
  /** To one address, with TLS. */
  readonly connectWithin: Millis;
  /** From there to the end of the negotiation; also for the answer to a look-up. */
  readonly negotiateWithin: Millis;
  /** How often the peer is asked whether stanzas arrive, and how long it may take to answer. */
  readonly confirmEvery: Millis;
  readonly confirmWithin: Millis;
  /** Most characters of stanzas without that answer which are kept. */
  readonly unconfirmedLength: number;
  readonly onReady: (method: ProofMethod, stream: OutboundStream) => void;
  readonly onEnded: (because: string, stream: OutboundStream) => void;
}

interface LookUp {
  isAsked: boolean;
  readonly claim: DialbackClaim;
  readonly resolve: (answer: DialbackAnswer) => void;
}

/** `restarting`: SASL has succeeded, and the features of the new stream are to come. */
type State =
  | "connecting"
  | "clear"
  | "secure"
  | "authenticating"
  | "restarting"
  | "dialback"
  | "ready"
  | "over";

/** Why a stream has ended that looked alive. */
export const NOT_CONFIRMED = "stanzas are not confirmed";

const MOST_UNSENT = 1 << 20;
const LONGEST = 16_384;

/**
 * A stream that we open to a peer: for replies to a peer that does not take them on its own stream, and to ask an
 * authoritative server about dialback keys. Goes on only with a server whose certificate proves its domain.
 */
export class OutboundStream {
  readonly #options: OutboundOptions;
  readonly #stop = new AbortController();
  #state: State = "connecting";
  #connection: XmppConnection | undefined;
  /** Addresses that have not been tried. */
  #endpoints: Endpoint[] = [];
  /** Monotonic: no other address is tried after that. */
  #tryUntil = 0;
  /** Whether the other side has shown a certificate that proves its domain. */
  #isProven = false;
  #streamId = "";
  readonly #confirmation: Confirmation;
  /** Asked as soon as the server has proven itself. */
  #lookUps: LookUp[] = [];
  #isRefused = false;
  #isClosing = false;

  constructor(options: OutboundOptions) {
    const { clock, from, to, confirmEvery, confirmWithin, unconfirmedLength } = options;
    this.#options = options;
    this.#confirmation = new Confirmation({
      clock,
      every: confirmEvery,
      within: confirmWithin,
      longest: unconfirmedLength,
      send: (xml) => this.#connection?.send(xml),
      from,
      to,
    });
    void this.#connect();
  }

  get isReady(): boolean {
    return this.#state === "ready" && this.#connection?.isOpen === true;
  }

  /** Whether nothing can be sent on it any more. */
  get isLeaving(): boolean {
    return this.#state === "over" || this.#connection?.isOpen === false;
  }

  send(xml: string): void {
    this.#confirmation.note(xml);
    this.#connection?.send(xml);
  }

  /** Asks whether what was sent arrives, from time to time, and gives the stream up if no answer comes. */
  confirm(): void {
    if (this.isReady && this.#confirmation.isOverdue()) this.#connection?.destroy(NOT_CONFIRMED);
  }

  /** The peer has answered a ping of ours, on another stream. */
  answered(id: string): void {
    this.#confirmation.answered(id);
  }

  /** Whether the peer has ever told that stanzas arrive. */
  get isConfirmed(): boolean {
    return this.#confirmation.isConfirmed;
  }

  /** Stanzas sent after `earliest` of which nobody knows whether they have arrived. */
  unconfirmedSince(earliest: number): readonly string[] {
    return this.#confirmation.unconfirmedSince(earliest);
  }

  /** Asks the peer whether it made this key (XEP-0220 §2.3). */
  async verify(claim: DialbackClaim): Promise<DialbackAnswer> {
    if (this.#state === "over") return "unreachable";
    const { promise, resolve } = Promise.withResolvers<DialbackAnswer>();
    const lookUp = { claim, resolve, isAsked: false };
    this.#lookUps.push(lookUp);
    this.#askAll();
    const { clock, negotiateWithin, connectWithin } = this.#options;
    const settled = new AbortController();
    void clock
      .sleep(millis(negotiateWithin + connectWithin), AbortSignal.any([settled.signal, this.#stop.signal]))
      .then(() => resolve("unreachable"));
    const answer = await promise;
    settled.abort();
    this.#lookUps = this.#lookUps.filter((one) => one !== lookUp);
    return answer;
  }

  close(): void {
    this.#isClosing = true;
    if (this.#connection === undefined) this.#end("closed");
    else this.#connection.close();
  }

  async #connect(): Promise<void> {
    const { clock, connectWithin, endpoints } = this.#options;
    try {
      this.#tryUntil = clock.monotonic() + 2 * connectWithin;
      this.#endpoints = [...(await endpoints())];
    } catch (error) {
      return this.#end(failureReason(error));
    }
    await this.#tryNext("no address");
  }

  /** Goes on with the next address, or ends for what was wrong with the last one. */
  async #tryNext(because: string): Promise<void> {
    if (this.#state === "over") return;
    const endpoint = this.#endpoints.shift();
    if (endpoint === undefined || this.#options.clock.monotonic() > this.#tryUntil) return this.#end(because);
    this.#state = "connecting";
    this.#connection = undefined;
    try {
      this.#begin(await this.#dial(endpoint));
    } catch (error) {
      await this.#tryNext(failureReason(error));
    }
  }

  async #dial(endpoint: Endpoint): Promise<Socket> {
    const { to: domain, secureContext, clock, connectWithin: within } = this.#options;
    return dial({ endpoint, domain, secureContext, clock, within });
  }

  #begin(socket: Socket): void {
    if (this.#state === "over") return void socket.destroy();
    this.#state = "clear";
    const connection: XmppConnection = new XmppConnection(socket, {
      clock: this.#options.clock,
      longest: LONGEST,
      mostUnsent: MOST_UNSENT,
      listener: {
        header: (header) => this.#opened(header),
        element: (element) => this.#take(element),
        ended: (because) => this.#connectionEnded(because),
      },
    });
    this.#connection = connection;
    void this.#limit(connection);
    if (!(socket instanceof TLSSocket) || this.#isTrusted(socket)) this.#header();
  }

  /** Whoever is at one address of a server may be somebody else, or out of order. */
  #connectionEnded(because: string): void {
    if (this.#isProven || this.#isClosing) this.#end(because);
    else void this.#tryNext(because);
  }

  /** Goes on only with a server that proves to be the one we look for. */
  #isTrusted(socket: TLSSocket): boolean {
    const certificate = peerCertificateOf(socket);
    if (certificate.proves(this.#options.to)) {
      this.#isProven = true;
      this.#state = "secure";
      return true;
    }
    this.#connection?.destroy(`certificate: ${certificate.fault ?? "another name"}`);
    return false;
  }

  async #limit(connection: XmppConnection): Promise<void> {
    await this.#options.clock.sleep(this.#options.negotiateWithin, connection.signal);
    if (this.#state !== "ready") connection.destroy("negotiation-timeout");
  }

  #header(): void {
    const { from, to } = this.#options;
    this.#connection?.send(s2sHeader({ from, to }));
  }

  #opened({ id, namespace }: StreamHeader): void {
    this.#streamId = id ?? "";
    if (namespace !== STREAMS) this.#connection?.fail("invalid-namespace");
  }

  #take(element: StreamElement): void {
    // What comes in clear may be anybody's: it leads to TLS, or nowhere.
    if (this.#state === "clear" && (element.namespace === SASL || element.namespace === DIALBACK))
      return this.#connection?.fail("policy-violation");
    switch (`${element.local} ${element.namespace}`) {
      case `features ${STREAMS}`:
        return this.#negotiate(element);
      case `error ${STREAMS}`:
        return this.#connection?.close(`stream error: ${element.parts[0]?.local ?? "undefined-condition"}`);
      case `proceed ${STARTTLS}`:
        return void this.#secure();
      case `success ${SASL}`:
        return this.#authenticated();
      case `failure ${SASL}`:
        if (this.#state !== "authenticating") return;
        this.#isRefused = true;
        return this.#dialBack();
      case `result ${DIALBACK}`:
        return this.#dialledBack(element);
      case `verify ${DIALBACK}`:
        return this.#answered(element);
      case `enabled ${STREAM_MANAGEMENT}`:
        return this.#confirmation.count();
      case `a ${STREAM_MANAGEMENT}`:
        return this.#confirmation.acknowledged(element.attributes.get("h") ?? "");
      case `r ${STREAM_MANAGEMENT}`:
        // Nothing that comes on this stream is a stanza for us.
        return this.#connection?.send(`<a xmlns='${STREAM_MANAGEMENT}' h='0'/>`);
      default:
        // Whatever else a server sends on a stream that is ours to send on.
        return;
    }
  }

  #negotiate({ parts }: StreamElement): void {
    if (this.#state === "clear") {
      if (parts.some(({ local, namespace }) => local === "starttls" && namespace === STARTTLS))
        return this.#connection?.send(`<starttls xmlns='${STARTTLS}'/>`);
      return this.#connection?.fail("policy-violation");
    }
    if (this.#state === "restarting") {
      const isCounted = parts.some(
        ({ local, namespace }) => local === "sm" && namespace === STREAM_MANAGEMENT,
      );
      if (isCounted) this.#connection?.send(`<enable xmlns='${STREAM_MANAGEMENT}'/>`);
      return this.#ready("external");
    }
    if (this.#state !== "secure") return;
    const isExternal = parts.some(({ local, text }) => local === "mechanism" && text.trim() === "EXTERNAL");
    if (!isExternal) return this.#dialBack();
    this.#state = "authenticating";
    const authorization = Buffer.from(this.#options.from).toString("base64");
    this.#connection?.send(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${authorization}</auth>`);
  }

  async #secure(): Promise<void> {
    const connection = this.#connection;
    if (this.#state !== "clear" || connection === undefined) return connection?.fail("policy-violation");
    const { to: domain, secureContext, clock, connectWithin: within } = this.#options;
    try {
      const socket = await startClientTls(connection.detach(), { domain, secureContext, clock, within });
      // It may have been given up meanwhile, for another address.
      if (connection !== this.#connection || connection.signal.aborted) return void socket.destroy();
      connection.secure(socket);
      if (this.#isTrusted(socket)) this.#header();
    } catch (error) {
      connection.destroy(failureReason(error));
    }
  }

  #authenticated(): void {
    if (this.#state !== "authenticating") return;
    this.#state = "restarting";
    this.#connection?.restart();
    this.#header();
  }

  /** Proves our hostname by a key that the peer asks one of our fronts about (XEP-0220 §2.1). */
  #dialBack(): void {
    const { from, to, keys } = this.#options;
    this.#state = "dialback";
    const key = keys.keyFor({ receiving: to, originating: from, streamId: this.#streamId });
    this.#connection?.send(
      `<db:result from='${escapeAttribute(from)}' to='${escapeAttribute(to)}'>${key}</db:result>`,
    );
    this.#askAll();
  }

  #dialledBack({ attributes }: StreamElement): void {
    if (this.#state !== "dialback") return;
    if (attributes.get("type") === "valid") this.#ready("dialback");
    else this.#connection?.close(this.#isRefused ? "external and dialback refused" : "dialback refused");
  }

  #ready(method: ProofMethod): void {
    this.#state = "ready";
    this.#askAll();
    this.#options.onReady(method, this);
  }

  /** Look-ups wait for the end of SASL, in which nothing else may be sent. */
  #askAll(): void {
    if (this.#state !== "dialback" && this.#state !== "ready") return;
    for (const lookUp of this.#lookUps) if (!lookUp.isAsked) this.#ask(lookUp);
  }

  #ask(lookUp: LookUp): void {
    const { claim } = lookUp;
    lookUp.isAsked = true;
    const names = `from='${escapeAttribute(claim.receiving)}' to='${escapeAttribute(claim.originating)}'`;
    const key = escapeAttribute(claim.key);
    this.#connection?.send(`<db:verify ${names} id='${escapeAttribute(claim.streamId)}'>${key}</db:verify>`);
  }

  #answered({ attributes }: StreamElement): void {
    const from = parseDomain(attributes.get("from") ?? "");
    const type = attributes.get("type");
    for (const { claim, resolve } of this.#lookUps) {
      if (claim.streamId !== attributes.get("id") || claim.originating !== from) continue;
      resolve(type === "valid" ? "valid" : type === "invalid" ? "invalid" : "unreachable");
    }
  }

  #end(because: string): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#stop.abort();
    this.#options.onEnded(because, this);
  }
}
