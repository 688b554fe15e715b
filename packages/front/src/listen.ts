import { createServer, type Server, type Socket } from "node:net";

import { KEEP_ALIVE_MS } from "./s2s/dial.ts";

/** Where to listen; an address of `::` takes IPv4 as well. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly address: ListenAddress;
  /** Accepts nothing more: a new connection is refused by the kernel. What was accepted goes on. */
  readonly stop: () => void;
}

const BACKLOG = 1_024;

/** Listens for TCP connections. Rejects if the address cannot be had. */
export async function listen(at: ListenAddress, onSocket: (socket: Socket) => void): Promise<Listener> {
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
    (socket) => {
      socket.on("error", () => undefined);
      onSocket(socket);
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("listening", resolve);
  server.once("error", reject);
  // Once it listens: a connection that could not be accepted, for want of file descriptors. The next one may be.
  server.on("error", () => undefined);
  server.listen({ ...at, backlog: BACKLOG });
  await promise;
  return { address: { host: at.host, port: portOf(server) }, stop: () => void server.close() };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
