import { hash } from "node:crypto";
import { connect, type Socket } from "node:net";

import { type Clock, seconds } from "@reveille/wakeup";

import { type Stanza } from "../stanza.ts";
import { STREAMS } from "../places.ts";
import { type StanzaLimits, StreamReader } from "../stream-reader.ts";
import { escapeAttribute } from "@reveille/xml";
import { type XmlFault, XmlScanner } from "@reveille/xml";
import { type Front } from "./front.ts";

/** Why a stream is over. */
export type StreamEnd =
  /** We closed it. */
  | { readonly kind: "closed" }
  /** Another component holds the slot of that front. */
  | { readonly kind: "conflict" }
  /** `because` is fit for logs: a condition or an error code. */
  | { readonly kind: "lost"; readonly because: string };

export interface StreamOptions {
  readonly front: Front;
  readonly clock: Clock;
  readonly limits: StanzaLimits;
  /**
   * Say only this: it leaves together with the handshake and the end of the stream, so that the front routes
   * nothing to us meanwhile.
   */
  readonly parting?: string | undefined;
  /** The front has accepted us: stanzas may be sent. */
  readonly onActive: () => void;
  readonly onStanza: (stanza: Stanza) => void;
}

/** From connecting to the accepted handshake. */
const OPEN_WITHIN = seconds(10);
/** A front that says nothing for so long, after we have closed our side, hangs. */
const CLOSE_WITHIN = seconds(2);
/** A busy one has other things to read before it comes to our end of the stream, and goes on talking meanwhile. */
const CLOSE_WITHIN_IN_ALL = seconds(10);

/** A front that lets more of our replies lie in the socket does not read: it hangs. */
const MAX_UNSENT = 16 * 1024 * 1024;

/**
 * One component stream (XEP-0114) over TCP, from connecting to its end. It never throws into the socket, and
 * once it has ended it is silent: nothing is read, what is sent is dropped.
 */
export class ComponentStream {
  readonly #options: StreamOptions;
  readonly #socket: Socket;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #scanner: XmlScanner;
  readonly #opened = new AbortController();
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<StreamEnd>();
  #phase: "opening" | "active" | "closing" | "over" = "opening";
  #chunks = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    const reader = new StreamReader(
      {
        opened: (streamId) => this.#authenticate(streamId),
        accepted: () => this.#activate(),
        failed: (condition) =>
          this.#end(condition === "conflict" ? { kind: "conflict" } : lost(condition), FOOTER),
        stanza: (stanza) => (this.#phase === "over" ? undefined : options.onStanza(stanza)),
      },
      options.limits,
    );
    this.#scanner = new XmlScanner(reader, options.limits.length);
    this.#socket = this.#connect(options.front);
    void this.#limitOpening();
  }

  /** Resolves once, when the stream is over. */
  get ended(): Promise<StreamEnd> {
    return this.#ended.promise;
  }

  /** Aborts when the stream is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Counts up with each sign of life of the front. */
  get heard(): number {
    return this.#chunks;
  }

  /** Sends stanzas; `false` if the stream cannot take any. */
  send(xml: string): boolean {
    if (this.#phase !== "active") return false;
    this.#socket.write(xml);
    if (this.#socket.writableLength > MAX_UNSENT) this.#end(lost("the front does not read"));
    return true;
  }

  /**
   * Closes the stream properly; resolves when it is over. What the front had sent before it read our end of the
   * stream is still read.
   */
  async close(): Promise<void> {
    if (this.#phase === "active") {
      this.#phase = "closing";
      this.#socket.write(FOOTER);
    }
    const { clock } = this.#options;
    const deadline = clock.monotonic() + CLOSE_WITHIN_IN_ALL;
    let heard = -1;
    while (this.#phase === "closing" && heard < this.#chunks && clock.monotonic() < deadline) {
      heard = this.#chunks;
      await clock.sleep(CLOSE_WITHIN, this.signal);
    }
    this.#end({ kind: "closed" });
  }

  /** Gives the stream up at once. */
  abandon(because: string): void {
    this.#end(lost(because));
  }

  #connect({ host, port, domain }: Front): Socket {
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    socket.on("connect", () => socket.write(header(domain)));
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#end(lost(codeOf(error))));
    socket.on("close", () => this.#end(lost("connection closed")));
    return socket;
  }

  async #limitOpening(): Promise<void> {
    const within = this.#options.parting === undefined ? OPEN_WITHIN : CLOSE_WITHIN;
    await this.#options.clock.sleep(within, this.#opened.signal);
    if (this.#phase === "opening") this.#end(lost("the front does not answer"));
  }

  #authenticate(streamId: string): void {
    const { front, parting } = this.#options;
    const handshake = `<handshake>${hash("sha1", streamId + front.secret)}</handshake>`;
    if (parting === undefined) return void this.#socket.write(handshake);
    this.#socket.write(handshake + parting + FOOTER);
    this.#phase = "closing";
    return void this.close();
  }

  #activate(): void {
    if (this.#phase !== "opening") return;
    this.#phase = "active";
    this.#opened.abort();
    this.#options.onActive();
  }

  #read(chunk: Buffer): void {
    this.#chunks += 1;
    const fault = this.#scan(chunk);
    if (fault !== undefined) this.#end(lost(fault), `${streamError(fault)}${FOOTER}`);
    else if (this.#scanner.ended) this.#end(lost("stream closed by the front"), FOOTER);
  }

  #scan(chunk: Buffer): XmlFault | "internal-server-error" | undefined {
    try {
      return this.#scanner.write(this.#decoder.decode(chunk, { stream: true }));
    } catch (error) {
      // Neither bytes that are no UTF-8 nor a mistake of ours may end the process: this is a socket's handler.
      return codeOf(error) === NO_UTF8 ? "not-well-formed" : "internal-server-error";
    }
  }

  /** Without a `farewell` the connection is cut, else closed when the front has read it. */
  #end(end: StreamEnd, farewell?: string): void {
    if (this.#phase === "over") return;
    const wasClosing = this.#phase === "closing";
    this.#phase = "over";
    this.#opened.abort();
    this.#over.abort();
    this.#ended.resolve(wasClosing ? { kind: "closed" } : end);
    if (farewell === undefined || wasClosing) this.#socket.destroy();
    else void this.#part(farewell);
  }

  async #part(farewell: string): Promise<void> {
    this.#socket.end(farewell);
    const closed = new AbortController();
    this.#socket.once("close", () => closed.abort());
    await this.#options.clock.sleep(CLOSE_WITHIN, closed.signal);
    this.#socket.destroy();
  }
}

const NO_UTF8 = "ERR_ENCODING_INVALID_ENCODED_DATA";
const FOOTER = "</stream:stream>";

const header = (domain: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='${STREAMS}' to='${escapeAttribute(domain)}'>`;

const streamError = (condition: string): string =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`;

const lost = (because: string): StreamEnd => ({ kind: "lost", because });

/** The code of an error of Node, such as ECONNREFUSED; its message may say more than a log should hold. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}
