import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";

import { type Certificate } from "../s2s/tls-server.ts";

const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'";

export interface PeerOptions {
  readonly port: number;
  readonly from?: string;
  readonly to: string;
  readonly certificate?: Certificate | undefined;
  readonly authority: string;
  readonly isDirect?: boolean;
}

/** A users' server that says what a test tells it to. */
export class APeer implements AsyncDisposable {
  readonly options: PeerOptions;
  #socket: Socket;
  #heard = "";
  #waiting: (() => void)[] = [];
  #isClosed = false;

  private constructor(socket: Socket, options: PeerOptions) {
    this.options = options;
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connects, and does the handshake where that comes first. */
  static async connect(options: PeerOptions): Promise<APeer> {
    const { port, isDirect = false } = options;
    const socket = isDirect
      ? connectTls({ host: "127.0.0.1", port, ALPNProtocols: ["xmpp-server"], ...tlsOf(options) })
      : connect({ host: "127.0.0.1", port });
    const peer = new APeer(socket, options);
    await once(socket, isDirect ? "secureConnect" : "connect");
    return peer;
  }

  /** Connects and goes on until TLS is there and features have been offered. */
  static async secure(options: PeerOptions): Promise<APeer> {
    const peer = await APeer.connect(options);
    if (options.isDirect !== true) await peer.startTls();
    peer.open();
    await peer.hears("</stream:features>");
    return peer;
  }

  /** The same, with a domain proven by its certificate. */
  static async proven(options: PeerOptions & { readonly bidi?: boolean }): Promise<APeer> {
    const peer = await APeer.secure(options);
    if (options.bidi === true) peer.say("<bidi xmlns='urn:xmpp:bidi'/>");
    peer.authenticate();
    await peer.hears("<success");
    peer.open();
    await peer.hears("</stream:features>", 2);
    return peer;
  }

  /** Everything since the handshake, or the connection. */
  get heard(): string {
    return this.#heard;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  open(extra = ""): void {
    const { from, to } = this.options;
    this.say(`${HEADER}${from === undefined ? "" : ` from='${from}'`} to='${to}'${extra}>`);
  }

  authenticate(authorization = "="): void {
    this.say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>${authorization}</auth>`);
  }

  say(xml: string): void {
    if (!this.#socket.destroyed) this.#socket.write(xml);
  }

  pause(): void {
    this.#socket.pause();
  }

  /** Waits until a text has come so many times. */
  async hears(text: string, times = 1): Promise<void> {
    while (this.#heard.split(text).length - 1 < times) {
      if (this.#isClosed) throw new Error(`closed; wanted ${text}, heard ${this.#heard}`);
      await this.#next();
    }
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#next();
  }

  async startTls(): Promise<void> {
    this.open();
    await this.hears("</stream:features>");
    this.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await this.hears("<proceed");
    await this.handshake();
  }

  async handshake(): Promise<void> {
    this.#socket.removeAllListeners("data");
    const socket = connectTls({ socket: this.#socket, ...tlsOf(this.options) });
    this.#heard = "";
    this.#socket = socket;
    this.#listen(socket);
    await once(socket, "secureConnect");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed();
  }

  async #next(): Promise<void> {
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  #listen(socket: Socket): void {
    const wake = (): void => {
      const all = this.#waiting;
      this.#waiting = [];
      for (const each of all) each();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#heard += bytes.toString();
      wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isClosed = true;
      wake();
    });
  }
}

const tlsOf = ({ to, certificate, authority }: PeerOptions) => ({
  servername: to,
  ca: [authority],
  checkServerIdentity: () => undefined,
  ...certificate,
});

export interface DomainServerOptions {
  readonly domain: string;
  /** Shown to whoever connects. */
  readonly certificate: Certificate;
  readonly authority: string;
  /** What it says of a key. */
  readonly answer?: "valid" | "invalid";
  /** Whether it takes our claim of a domain. */
  readonly accepts?: boolean;
  /** Whether it takes part in SASL EXTERNAL, and then counts stanzas (XEP-0198) as its first `counted` connections do. */
  readonly counted?: number;
}

/** The server of a domain: takes streams, answers dialback look-ups, keeps what else it hears. */
export interface DomainServer extends AsyncDisposable {
  readonly port: number;
  readonly heard: () => string;
  readonly connections: () => number;
  /** Closes all connections. */
  readonly cut: () => void;
}

export async function serveDomain(options: DomainServerOptions): Promise<DomainServer> {
  const { certificate, authority } = options;
  const secureContext = createSecureContext({ ...certificate, ca: [authority] });
  let heard = "";
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    let state: "clear" | "secure" = "clear";
    let text = "";
    let isProven = false;
    let taken = 0;
    const number = connections;
    const on = (from: Socket): void => {
      from.on("error", () => undefined);
      from.on("data", (bytes: Buffer) => {
        text += bytes.toString();
        if (state === "secure") heard += bytes.toString();
        for (;;) {
          const [whole] =
            /^<\?xml.*?<stream:stream.*?>|^<starttls.*?>|^<db:(\w+).*?<\/db:\1>|^<(iq|message)\b.*?<\/\2>|^<iq[^>]*\/>|^<auth.*?<\/auth>|^<(?:enable|r) [^>]*\/>|^<\/stream:stream>/s.exec(
              text,
            ) ?? [];
          if (whole === undefined) return;
          text = text.slice(whole.length);
          const attribute = (name: string): string => new RegExp(` ${name}='([^']*)'`).exec(whole)?.[1] ?? "";
          if (whole.includes("<stream:stream")) {
            const feature =
              state === "clear"
                ? "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                : options.counted === undefined
                  ? "<dialback xmlns='urn:xmpp:features:dialback'/>"
                  : isProven
                    ? "<sm xmlns='urn:xmpp:sm:3'/>"
                    : "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
            from.write(
              `${HEADER} id='s${connections}' from='${options.domain}'><stream:features>${feature}</stream:features>`,
            );
          } else if (whole.startsWith("<starttls")) {
            from.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
            from.removeAllListeners("data");
            state = "secure";
            text = "";
            on(
              new TLSSocket(from, {
                isServer: true,
                secureContext,
                requestCert: true,
                rejectUnauthorized: false,
              }),
            );
            return;
          } else if (whole.startsWith("<auth")) {
            isProven = true;
            from.write("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
          } else if (whole.startsWith("<enable")) from.write("<enabled xmlns='urn:xmpp:sm:3'/>");
          else if (/^<(?:iq|message)/.test(whole)) taken += 1;
          else if (whole.startsWith("<r ") && number <= (options.counted ?? 0))
            from.write(`<a xmlns='urn:xmpp:sm:3' h='${taken}'/>`);
          else if (whole.startsWith("<db:verify"))
            from.write(
              `<db:verify from='${attribute("to")}' to='${attribute("from")}' id='${attribute("id")}' type='${options.answer ?? "valid"}'/>`,
            );
          else if (whole.startsWith("<db:result"))
            from.write(
              `<db:result from='${attribute("to")}' to='${attribute("from")}' type='${options.accepts === false ? "invalid" : "valid"}'/>`,
            );
        }
      });
    };
    on(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    heard: () => heard,
    connections: () => connections,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
