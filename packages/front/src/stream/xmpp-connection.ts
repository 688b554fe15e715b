import { type Socket } from "node:net";

import { type Clock, seconds } from "@reveille/wakeup";

import { ElementReader, type StreamElement, type StreamHeader } from "./element-reader.ts";
import { STREAM_ERRORS } from "./namespaces.ts";

/** The conditions of RFC 6120 §4.9.3 that a front uses. */
export type StreamCondition =
  | "connection-timeout"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "invalid-from"
  | "invalid-namespace"
  | "not-authorized"
  | "not-well-formed"
  | "policy-violation"
  | "restricted-xml"
  | "unsupported-stanza-type"
  | "unsupported-version";

export interface ConnectionListener {
  readonly header: (header: StreamHeader) => void;
  readonly element: (element: StreamElement) => void;
  /** Called once, when nothing more comes or can be sent. `because` is fit for logs: a condition or an error code. */
  readonly ended: (because: string) => void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly listener: ConnectionListener;
  /** Longest element that is read, in characters. */
  readonly longest: number;
  /** Most bytes that wait for a peer that does not read. */
  readonly mostUnsent: number;
  /** Of the side that is connected to: its stream header for a stream error that comes before its own (RFC 6120 §4.9.1.2). */
  readonly header?: () => string;
}

/** How long the other side may take to close its stream after we have closed ours. */
const CLOSE_WITHIN = seconds(5);

/**
 * An XMPP stream over a TCP or TLS socket: reads elements, sends text, all of one turn in one write. It never throws
 * into the socket, and is silent once it has ended.
 */
export class XmppConnection {
  readonly #options: ConnectionOptions;
  readonly #over = new AbortController();
  #socket: Socket;
  #reader: ElementReader;
  #decoder = new TextDecoder("utf-8", { fatal: true });
  #unsent = "";
  #state: "open" | "closing" | "over" = "open";
  #isFailed = false;
  /** Whether the other side has begun its stream. */
  #isOpened = false;
  #because = "connection closed";
  #stop: () => void = () => undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#reader = this.#newReader(options.longest);
    this.#listen(socket);
  }

  /** Aborts when the connection has ended. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether what is sent still reaches the other side. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether the other side reads more slowly than we write. */
  get isCongested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** From the next bytes on, elements may be so long. */
  allow(longest: number): void {
    this.#reader.longest = longest;
  }

  /** The other side begins a new stream (RFC 6120 §4.3.3): after TLS, after SASL. */
  restart(): void {
    this.#isOpened = false;
    this.#reader = this.#newReader(this.#reader.longest);
    this.#decoder = new TextDecoder("utf-8", { fatal: true });
  }

  /** Leaves the plain socket to a TLS handshake; what it reads is no longer ours. */
  detach(): Socket {
    this.#flush();
    this.#stop();
    // Bytes that came in clear behind the request are nobody's.
    this.restart();
    return this.#socket;
  }

  /** Goes on over TLS. */
  secure(socket: Socket): void {
    this.#socket = socket;
    this.restart();
    this.#listen(socket);
  }

  send(xml: string): void {
    if (this.#state !== "open") return;
    if (this.#unsent === "") queueMicrotask(() => this.#flush());
    this.#unsent += xml;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (this.#state !== "over") this.#socket.resume();
  }

  /** Calls back once, when the other side has read what was sent. */
  onDrain(call: () => void): void {
    this.#socket.once("drain", call);
  }

  /** Ends the stream with an error (RFC 6120 §4.9). */
  fail(condition: StreamCondition): void {
    if (this.#state !== "open") return;
    if (!this.#isOpened) this.send(this.#options.header?.() ?? "");
    this.send(`<stream:error><${condition} xmlns='${STREAM_ERRORS}'/></stream:error>`);
    this.#isFailed = true;
    this.close(condition);
  }

  /** Closes our side (RFC 6120 §4.4); what the other side sends until it closes its own is read. */
  close(because = "closed"): void {
    if (this.#state !== "open") return;
    if (!this.#isOpened && !this.#isFailed) return this.destroy(because);
    this.send("</stream:stream>");
    this.#flush();
    this.#state = "closing";
    this.#because = because;
    this.#socket.resume();
    void this.#options.clock.sleep(CLOSE_WITHIN, this.signal).then(() => this.destroy(because));
  }

  /** Gives the connection up at once. */
  destroy(because: string): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#unsent = "";
    this.#stop();
    this.#socket.on("error", () => undefined);
    this.#socket.destroy();
    this.#over.abort();
    this.#options.listener.ended(because);
  }

  #newReader(longest: number): ElementReader {
    const { listener } = this.#options;
    const reader: ElementReader = new ElementReader(
      {
        header: (header) => this.#deliver(reader, () => this.#open(header)),
        element: (element) => this.#deliver(reader, () => listener.element(element)),
      },
      longest,
    );
    return reader;
  }

  #open(header: StreamHeader): void {
    this.#isOpened = true;
    this.#options.listener.header(header);
  }

  /** What follows a restart in the same bytes belongs to a stream that is over. */
  #deliver(reader: ElementReader, call: () => void): void {
    if (this.#state !== "over" && !this.#isFailed && reader === this.#reader) call();
  }

  #listen(socket: Socket): void {
    const onData = (bytes: Buffer): void => this.#read(bytes);
    const onError = (error: Error): void => this.destroy(codeOf(error));
    const onClose = (): void => this.destroy(this.#because);
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("end", onClose);
    socket.on("close", onClose);
    this.#stop = (): void => {
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("end", onClose);
      socket.off("close", onClose);
    };
  }

  #read(bytes: Buffer): void {
    const reader = this.#reader;
    if (this.#isFailed || reader.ended) return;
    try {
      const fault = reader.write(this.#decoder.decode(bytes, { stream: true }));
      if (fault !== undefined) this.fail(fault);
      else if (reader.ended && reader === this.#reader) this.#closedByPeer();
    } catch (error) {
      // Neither bytes that are no UTF-8 nor a fault of ours may end the process: this is a socket's handler.
      this.fail(codeOf(error) === NO_UTF8 ? "not-well-formed" : "internal-server-error");
    }
  }

  #closedByPeer(): void {
    this.close("closed by the peer");
    this.#socket.end();
  }

  #flush(): void {
    if (this.#unsent === "" || this.#state === "over") return;
    this.#socket.write(this.#unsent);
    this.#unsent = "";
    if (this.#socket.writableLength > this.#options.mostUnsent) this.destroy(NOT_READING);
  }
}

/** Why a connection has ended on which more waited to be read than may. */
export const NOT_READING = "does not read";

const NO_UTF8 = "ERR_ENCODING_INVALID_ENCODED_DATA";

/** The code of an error of Node, such as ECONNRESET; its message may say more than a log should contain. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}
