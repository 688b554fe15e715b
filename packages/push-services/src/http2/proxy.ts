import { request } from "node:http";
import { type LookupFunction } from "node:net";
import { type Duplex } from "node:stream";

import { networkTrouble } from "@reveille/wakeup";

/**
 * A tunnel to `authority` through an HTTP proxy (CONNECT, RFC 9110 §9.3.6). Rejects with an Error that has the
 * proxy's status, or when `signal` aborts; the socket is gone then.
 */
export function tunnelThrough(
  proxy: { readonly host: string; readonly port: number },
  authority: string,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Duplex> {
  const { host, port } = proxy;
  const failure = (why: string, cause?: unknown): Error =>
    new Error(`no tunnel through the proxy ${host}:${port}: ${why}`, { cause });
  return new Promise((resolve, reject) => {
    request({
      host,
      port,
      lookup,
      signal,
      agent: false,
      method: "CONNECT",
      path: authority,
      headers: { host: authority },
    })
      .once("connect", ({ statusCode = 0 }, socket, head) => {
        if (statusCode < 200 || statusCode > 299) {
          // Whatever else it says is of no interest, least of all as an uncaught error.
          socket.on("error", () => undefined).destroy();
          return reject(failure(`it answered ${statusCode}`));
        }
        // What came with the answer already belongs to the tunnel.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      })
      .once("error", (cause) => reject(failure(networkTrouble(cause), cause)))
      .end();
  });
}
