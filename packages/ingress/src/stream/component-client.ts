import { type Socket, type TcpNetConnectOpts } from "node:net";

import { Component, type XmlElement } from "@xmpp/component-core";

import { type Stanza } from "../stanza.ts";
import { type StanzaLimits } from "../stream-reader.ts";
import { type Front } from "./front.ts";
import { StreamParser } from "./stream-parser.ts";

export interface ComponentClientOptions {
  readonly front: Front;
  readonly limits: StanzaLimits;
  readonly onStanza: (stanza: Stanza) => void;
  /** The front has sent something. */
  readonly onBytes: () => void;
  /** The front has opened its stream, and our handshake was sent. */
  readonly onHandshakeSent: () => void;
  /** The front has accepted our handshake. */
  readonly onAccepted: () => void;
  /** What ended the stream, or the connection; several may follow. */
  readonly onFailure: (failure: Failure) => void;
}

export type Failure =
  /** What the front sent cannot be read; the condition (RFC 6120 §4.9.3) is to be sent to it. */
  | { readonly kind: "fault"; readonly condition: string }
  /** The front has sent a stream error. */
  | { readonly kind: "stream-error"; readonly condition: string }
  | { readonly kind: "socket"; readonly code: string }
  /** The front has ended its stream in form. */
  | { readonly kind: "closed" }
  | { readonly kind: "disconnected" };

/**
 * The component client of @xmpp/component (XEP-0114): it connects, sends the header and the handshake, and tells what happens.
 * Closed here, since the library leaves them open (decision 0048): data after the end of a stream is dropped instead of ending the
 * process; no time limit runs on a timer of the library's (its owner has a clock); `see-other-host` is a stream error like any
 * other; only a `handshake` element of the right namespace is an accepted handshake (`StreamParser`), and each stream error comes
 * with its condition. The library's end of a stream, which waits and writes on its own, is never used.
 */
export class ComponentClient extends Component {
  readonly #client: ComponentClientOptions;
  #isFaulty = false;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  constructor(options: ComponentClientOptions) {
    const { front, limits, onStanza, onAccepted, onFailure } = options;
    super({ service: front.name, domain: front.domain });
    this.#client = options;
    this.timeout = 0;
    this.Parser = class extends StreamParser {
      constructor() {
        super(onStanza, limits);
      }
    };
    this.on("open", ({ attrs }: XmlElement) => this.#authenticate(attrs["id"] ?? ""));
    this.on("nonza", ({ name }: XmlElement) => (name === "handshake" ? onAccepted() : undefined));
    this.on("error", (error: Error) => onFailure({ kind: "socket", code: codeOf(error) }));
    this.on("close", () => onFailure({ kind: "closed" }));
    this.on("disconnect", () => onFailure({ kind: "disconnected" }));
  }

  /** Connects, and then opens the stream. Gives the socket, on which its owner writes and which it ends. */
  begin(): Socket {
    const { service, domain } = this.options;
    // Whatever fails is told by an event, too.
    this.connect(service)
      .then(async () => this.open({ service, domain }))
      .catch(() => undefined);
    if (this.socket === null) throw new Error("@xmpp/component-core has not made a socket");
    // The library's `new Socket()` takes no options, and `connect` of a socket that exists ignores these two.
    return this.socket.setNoDelay(true).setKeepAlive(true);
  }

  override socketParameters(): TcpNetConnectOpts {
    const { host, port } = this.#client.front;
    return { host, port };
  }

  override _onData(chunk: Buffer): void {
    this.#client.onBytes();
    // The library has no parser once the front has ended its stream.
    if (this.#isFaulty || this.parser === null) return;
    const text = this.#decoded(chunk);
    if (text !== undefined) this.parser.write(text);
  }

  override _onParserError(error: Error): void {
    this.#fault(error.message);
  }

  override _onStreamError(element: XmlElement): void {
    const [condition] = element.getChildElements();
    this.#client.onFailure({ kind: "stream-error", condition: condition?.name ?? "undefined-condition" });
  }

  override async _end(): Promise<void> {}

  #fault(condition: string): void {
    this.#isFaulty = true;
    this.#client.onFailure({ kind: "fault", condition });
  }

  #authenticate(streamId: string): void {
    // What its owner adds leaves in the same write.
    this.socket?.cork();
    this.authenticate(streamId, this.#client.front.secret).catch(() => undefined);
    this.#client.onHandshakeSent();
    this.socket?.uncork();
  }

  #decoded(chunk: Buffer): string | undefined {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      this.#fault("not-well-formed");
      return undefined;
    }
  }
}

/** The code of an error of Node, such as ECONNREFUSED; its message may say more than a log should. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}
