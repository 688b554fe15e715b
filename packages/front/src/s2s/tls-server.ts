import { constants } from "node:crypto";
import { type Socket } from "node:net";
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";

/** A certificate with its chain, and its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface TlsMaterial {
  /** By hostname. */
  readonly certificates: ReadonlyMap<string, Certificate>;
  /** PEM of the authorities that peers' certificates may come from; those that Node trusts unless told. */
  readonly authorities?: readonly string[];
}

/** No tickets: a resumed session would be a certificate that nobody looked at again. No renegotiation (RFC 8446 has none). */
const RULES = {
  minVersion: "TLSv1.2",
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/**
 * The TLS end of a front: chooses the certificate by the name that the peer asks for, asks for the peer's and lets every
 * handshake succeed; what the peer's certificate proves is judged by `peerCertificateOf`.
 */
export class TlsServer {
  #contexts = new Map<string, SecureContext>();
  readonly #server: Server | undefined;
  readonly #waiting = new Map<string, (socket: TLSSocket) => void>();

  constructor(material: TlsMaterial) {
    this.adopt(material);
    const server = createServer({
      ...defaultOf(material),
      ...authoritiesOf(material),
      ...RULES,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["xmpp-server"],
      SNICallback: (name, answer) => answer(null, this.#contexts.get(name.toLowerCase())),
    });
    server.on("secureConnection", (socket) => this.#secured(socket));
    server.on("tlsClientError", (_, socket) => void socket.destroy());
    this.#server = server;
  }

  /** From the next handshake on, these are the certificates. Throws, with nothing changed, if one cannot be used. */
  adopt(material: TlsMaterial): void {
    const contexts = new Map<string, SecureContext>();
    for (const [hostname, certificate] of material.certificates) {
      contexts.set(hostname, createSecureContext({ ...certificate, ...authoritiesOf(material), ...RULES }));
    }
    this.#contexts = contexts;
    this.#server?.setSecureContext({ ...defaultOf(material), ...authoritiesOf(material), ...RULES });
  }

  /** The same certificate for streams that we open. */
  contextFor(hostname: string): SecureContext | undefined {
    return this.#contexts.get(hostname);
  }

  /**
   * Does the handshake on a connected socket. Only a socket that a `tls.Server` made has its peer's certificate checked,
   * so the socket is handed to one and found again by its ports.
   */
  async start(socket: Socket): Promise<TLSSocket> {
    const name = nameOf(socket);
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const onClose = (): void => reject(new Error("closed in the handshake"));
    socket.once("close", onClose);
    socket.on("error", onClose);
    this.#waiting.set(name, resolve);
    this.#server?.emit("connection", socket);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(name);
      socket.off("close", onClose);
    }
  }

  #secured(socket: TLSSocket): void {
    const resolve = this.#waiting.get(nameOf(socket));
    if (resolve === undefined) socket.destroy();
    else resolve(socket);
  }
}

/** For peers that ask for no name, or for another one. */
const defaultOf = ({ certificates }: TlsMaterial): Partial<Certificate> =>
  [...certificates.values()][0] ?? {};

const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

const authoritiesOf = ({ authorities }: TlsMaterial): { readonly ca?: string[] } =>
  authorities === undefined ? {} : { ca: [...authorities] };
