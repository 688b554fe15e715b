import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";

import { type SimulatorClock } from "../clock.ts";
import { type ConnectFault, type ConnectFaultQueue } from "../faults/connect-faults.ts";

/** Where to listen and who to be. */
export interface ListenerOptions {
  readonly host: string;
  readonly key: string;
  readonly cert: string;
  /** Certificate authority (PEM) of clients that show a certificate; `undefined`: none is asked for. */
  readonly clientCa: string | undefined;
  readonly faults: ConnectFaultQueue;
  readonly clock: SimulatorClock;
  /** A TLS connection that speaks h2 is there, with the TCP socket under it. */
  readonly onConnection: (socket: TLSSocket, raw: Socket) => void;
  readonly onHandshakeFailed: () => void;
}

/** TCP and TLS up to the point where HTTP/2 begins, with all that can go wrong before it. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #tls: ReturnType<typeof createTlsServer>;
  readonly #sockets = new Map<string, Socket>();
  readonly #faults = new WeakMap<Socket, ConnectFault>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { key, cert, clientCa } = options;
    this.#tls = createTlsServer({
      key,
      cert,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      // A wrong certificate is answered with a reason, not with a TLS alert.
      ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    });
    this.#tls.on("secureConnection", (socket) => this.#secured(socket));
    this.#tls.on("tlsClientError", () => options.onHandshakeFailed());
    this.#server = createServer((socket) => void this.#accept(socket));
  }

  /** Resolves with the port when it accepts connections; rejects if it cannot. */
  async open(port: number): Promise<number> {
    this.#server.listen(port, this.#options.host);
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (typeof address === "string" || address === null) throw new Error("simulator has no port");
    return address.port;
  }

  /** Ends all connections and frees the port. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    await once(this.#server, "close");
  }

  async #accept(socket: Socket): Promise<void> {
    const fault = this.#options.faults.take();
    const name = nameOf(socket);
    this.#sockets.set(name, socket);
    socket.on("close", () => this.#sockets.delete(name));
    socket.on("error", () => {});
    if (fault?.kind === "reset") socket.resetAndDestroy();
    if (fault?.kind === "reset" || fault?.kind === "no-tls") return;
    if (fault?.kind === "slow-tls") await this.#options.clock.sleep(fault.ms);
    if (fault !== undefined) this.#faults.set(socket, fault);
    if (!socket.destroyed) this.#tls.emit("connection", socket);
  }

  #secured(socket: TLSSocket): void {
    const raw = this.#sockets.get(nameOf(socket));
    socket.on("error", () => {});
    // Apple takes clients that offer nothing by ALPN for HTTP/2 (Pushy, aioapns); TLS refuses those that offer something else.
    if (raw === undefined) {
      socket.destroy();
      return;
    }
    const fault = this.#faults.get(raw)?.kind;
    if (fault === "close") socket.end();
    if (fault !== "close" && fault !== "no-settings") this.#options.onConnection(socket, raw);
  }
}

const nameOf = (socket: Socket): string => `${socket.remoteAddress ?? ""} ${socket.remotePort ?? 0}`;
