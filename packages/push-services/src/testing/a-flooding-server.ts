import { once } from "node:events";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";

import { aServerIdentity } from "./a-server-identity.ts";

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly ca: string;
}

const rawFrame = (type: number, flags: number, stream: number, bytes: number): Buffer => {
  const frame = Buffer.alloc(9 + bytes);
  frame.writeUIntBE(bytes, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(stream, 5);
  return frame;
};
const SETTINGS = rawFrame(4, 0, 0, 0);

/** What a peer makes us answer or keep. */
export const FLOODS: readonly (readonly [string, Flood])[] = [
  ["PING", { first: SETTINGS, again: rawFrame(6, 0, 0, 8) }],
  ["SETTINGS", { first: SETTINGS, again: SETTINGS }],
  ["empty CONTINUATION", { first: rawFrame(1, 0, 1, 0), again: rawFrame(9, 0, 1, 0) }],
];

interface Flood {
  readonly first: Buffer;
  readonly again: Buffer;
}

/** Once the client has asked for something, it sends what it is given again and again, and reads no more. */
export async function aFloodingServer({ first, again }: Flood): Promise<TestServer> {
  const identity = aServerIdentity("localhost");
  const flood = Buffer.concat(Array.from({ length: 1_000 }, () => again));
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ ...identity, ALPNProtocols: ["h2"] }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write(SETTINGS);
    socket.once("readable", () => {
      socket.pause();
      socket.write(first);
      const go = (): void => {
        for (let more = true; more && !socket.destroyed;) more = socket.write(flood);
        if (!socket.destroyed) socket.once("drain", () => setImmediate(go));
      };
      go();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    ca: identity.cert,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
