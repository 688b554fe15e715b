import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { type LookupFunction } from "node:net";
import { type Duplex } from "node:stream";

import { networkTrouble } from "@reveille/wakeup";

import { type Proxy } from "./endpoint.ts";

/**
 * A tunnel to `authority` through an HTTP proxy (CONNECT, RFC 9110 §9.3.6). Rejects with an Error that has the
 * proxy's status, or the file of its password, or when `signal` aborts; the socket is gone then.
 */
export async function tunnelThrough(
  proxy: Proxy,
  authority: string,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Duplex> {
  const { host, port } = proxy;
  const failure = (why: string, cause?: unknown): Error =>
    new Error(`no tunnel through the proxy ${host}:${port}: ${why}`, { cause });
  const login = await loginOf(proxy).catch((cause: unknown) => {
    throw failure(`cannot read the file of its password, ${proxy.passwordFile}`, cause);
  });
  return new Promise((resolve, reject) => {
    request({
      host,
      port,
      lookup,
      signal,
      agent: false,
      method: "CONNECT",
      path: authority,
      headers: { host: authority, ...login },
    })
      .once("connect", ({ statusCode = 0 }, socket, head) => {
        if (statusCode < 200 || statusCode > 299) {
          // Whatever else it says is of no interest, least of all as an uncaught error.
          socket.on("error", () => undefined).destroy();
          return reject(failure(refusalOf(statusCode, proxy)));
        }
        // What came with the answer already belongs to the tunnel.
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      })
      .once("error", (cause) => reject(failure(networkTrouble(cause), cause)))
      .end();
  });
}

/** RFC 9110 §15.5.8: 407 is about the login and nothing else. */
function refusalOf(status: number, { user }: Proxy): string {
  if (status !== 407) return `it answered ${status}`;
  return user === undefined
    ? "it answered 407: it asks for a login; name a user in `proxy`, and `proxyPasswordFile`"
    : "it answered 407: it refuses this user or password; correct `proxy` or the file of `proxyPasswordFile`";
}

/** RFC 7617. */
async function loginOf({ user, passwordFile }: Proxy): Promise<Record<string, string>> {
  if (user === undefined) return {};
  const text = passwordFile === undefined ? "" : await readFile(passwordFile, "utf8");
  const [password = ""] = text.split(/\r?\n/, 1);
  return { "proxy-authorization": `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
