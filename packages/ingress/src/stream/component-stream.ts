import { type Socket } from "node:net";

import { type Clock, seconds } from "@reveille/wakeup";

import { type Stanza } from "../stanza.ts";
import { type StanzaLimits } from "../stream-reader.ts";
import { ComponentClient, type Failure } from "./component-client.ts";
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
  readonly #client: ComponentClient;
  readonly #socket: Socket;
  readonly #opened = new AbortController();
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<StreamEnd>();
  #phase: "opening" | "active" | "closing" | "over" = "opening";
  #chunks = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { front, limits } = options;
    this.#client = new ComponentClient({
      front,
      limits,
      onStanza: (stanza) => (this.#phase === "over" ? undefined : options.onStanza(stanza)),
      onBytes: () => (this.#chunks += 1),
      onHandshakeSent: () => this.#sendParting(),
      onAccepted: () => this.#activate(),
      onFailure: (failure) => this.#fail(failure),
    });
    this.#socket = this.#client.begin();
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

  async #limitOpening(): Promise<void> {
    const within = this.#options.parting === undefined ? OPEN_WITHIN : CLOSE_WITHIN;
    await this.#options.clock.sleep(within, this.#opened.signal);
    if (this.#phase === "opening") this.#end(lost("the front does not answer"));
  }

  #sendParting(): void {
    const { parting } = this.#options;
    if (parting === undefined) return;
    this.#socket.write(parting + FOOTER);
    this.#phase = "closing";
    void this.close();
  }

  #activate(): void {
    if (this.#phase !== "opening") return;
    this.#phase = "active";
    this.#opened.abort();
    this.#options.onActive();
  }

  #fail(failure: Failure): void {
    switch (failure.kind) {
      case "fault":
        return this.#end(lost(failure.condition), `${streamError(failure.condition)}${FOOTER}`);
      case "stream-error":
        return this.#end(
          failure.condition === "conflict" ? { kind: "conflict" } : lost(failure.condition),
          FOOTER,
        );
      case "closed":
        return this.#end(lost("stream closed by the front"), FOOTER);
      case "socket":
        return this.#end(lost(failure.code));
      case "disconnected":
        return this.#end(lost("connection closed"));
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

const FOOTER = "</stream:stream>";

const streamError = (condition: string): string =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`;

const lost = (because: string): StreamEnd => ({ kind: "lost", because });
