import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { type Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { networkTrouble } from "@reveille/wakeup";

import { type Endpoint, type Resolve } from "./endpoint.ts";
import { tunnelThrough } from "./proxy.ts";

/** A connection that is quiet for this long is probed by TCP, which also keeps its entry in a NAT alive. */
const KEEP_ALIVE_MS = 30_000;

/**
 * A TLS connection that has agreed on HTTP/2. Rejects with an Error whose message says at which step and why;
 * the socket is gone then, as it is when `signal` aborts.
 */
export async function dial(endpoint: Endpoint, resolve: Resolve, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port, proxy } = endpoint;
  const lookup = await lookedUp((proxy ?? endpoint).host, resolve);
  const socket =
    proxy === undefined
      ? await connected(endpoint, lookup, signal)
      : await tunnelThrough(proxy, `${host}:${port}`, lookup, signal);
  return secured(socket, endpoint, signal);
}

/** All addresses in any order, so that connections spread over Apple's hosts; Node tries one after another. */
async function lookedUp(host: string, resolve: Resolve): Promise<LookupFunction> {
  const addresses = isIP(host) === 0 ? shuffled(await resolved(host, resolve)) : [];
  return (_host, _options, done) => process.nextTick(done, null, addresses);
}

async function resolved(host: string, resolve: Resolve): ReturnType<Resolve> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw new Error(`cannot find an address of ${host}: ${networkTrouble(cause)}`, { cause });
  }
}

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);

function connected({ host, port }: Endpoint, lookup: LookupFunction, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host, port, lookup, autoSelectFamily: true });
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  return settled(socket, "connect", signal, (why) => `cannot connect to ${host}:${port}: ${why}`);
}

async function secured(socket: Duplex, { host, tls }: Endpoint, signal: AbortSignal): Promise<TLSSocket> {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const secure = connectTls({ ...tls, ...name, socket, host, ALPNProtocols: ["h2"], minVersion: "TLSv1.2" });
  await settled(secure, "secureConnect", signal, (why) => `no TLS with ${host}: ${why}`);
  if (secure.alpnProtocol === "h2") return secure;
  secure.destroy();
  throw new Error(`no HTTP/2 with ${host}: it does not speak the protocol h2`);
}

/** Resolves at `event`. When the socket fails or `signal` aborts, it is destroyed and the promise rejects. */
function settled<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  message: (why: string) => string,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (why?: string, cause?: Error): void => {
      signal.removeEventListener("abort", giveUp);
      socket.off(event, succeed).off("error", fail).off("close", close);
      if (why === undefined) return resolve(socket);
      // Whatever else a socket says that was given up is of no interest.
      socket.on("error", () => undefined).destroy();
      reject(new Error(message(why), { cause }));
    };
    const succeed = (): void => settle();
    const fail = (error: Error): void => settle(networkTrouble(error), error);
    const close = (): void => settle("the other side has closed the connection");
    const giveUp = (): void => settle("given up");
    socket.once(event, succeed).once("error", fail).once("close", close);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}
