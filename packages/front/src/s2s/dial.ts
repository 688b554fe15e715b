import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";

import { type Clock, type Millis } from "@reveille/wakeup";

import { type Endpoint } from "./find-server.ts";

export interface DialOptions {
  readonly endpoint: Endpoint;
  /** The domain we want to reach: named in the handshake. */
  readonly domain: string;
  /** Our certificate, and the authorities we trust. */
  readonly secureContext: SecureContext;
  readonly clock: Clock;
  readonly within: Millis;
}

/** Connects, with TLS where that comes first. Rejects with an error that has a `code`. */
export async function dial(options: DialOptions): Promise<Socket> {
  const { endpoint, clock, within } = options;
  const { address: host, port, isDirect } = endpoint;
  const socket = isDirect
    ? connectTls({ ...tlsOptions(options), host, port, ALPNProtocols: ["xmpp-server"] })
    : connectTcp({ host, port });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return connected(socket, isDirect ? "secureConnect" : "connect", { clock, within });
}

/** TLS over a socket whose other side has said `proceed`. */
export async function startClientTls(
  socket: Socket,
  options: Omit<DialOptions, "endpoint">,
): Promise<TLSSocket> {
  const secured = connectTls({ ...tlsOptions(options), socket });
  return connected(secured, "secureConnect", options);
}

/** A dead connection is noticed by the kernel, which costs no timer. */
export const KEEP_ALIVE_MS = 120_000;

/** The certificate is looked at afterwards, by `peerCertificateOf`: a refusal must be told from a dead line. */
const tlsOptions = ({ domain, secureContext }: Pick<DialOptions, "domain" | "secureContext">) => ({
  servername: domain,
  secureContext,
  rejectUnauthorized: false,
  checkServerIdentity: () => undefined,
});

async function connected<T extends Socket>(
  socket: T,
  event: string,
  { clock, within }: Pick<DialOptions, "clock" | "within">,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const settled = new AbortController();
  const onReady = (): void => resolve(socket);
  const onClose = (): void => reject(new DialError("ECONNRESET"));
  // Stays: an error that comes before somebody else listens must not end the process.
  socket.on("error", reject);
  socket.once(event, onReady);
  socket.once("close", onClose);
  void clock.sleep(within, settled.signal).then(() => reject(new DialError("ETIMEDOUT")));
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    settled.abort();
    socket.off(event, onReady);
    socket.off("close", onClose);
  }
}

/** A connection that did not come about. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code: string;

  constructor(code: string) {
    super(`no connection: ${code}`);
    this.code = code;
  }
}
