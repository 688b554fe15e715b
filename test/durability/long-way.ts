import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A long way to a server: what it says arrives later. */
export interface LongWay extends AsyncDisposable {
  readonly port: number;
}

/** Passes TCP on to a Unix socket, and what comes back only after `delayMs`. */
export async function openLongWay(path: string, delayMs: number): Promise<LongWay> {
  const ends = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect(path);
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => undefined);
      end.on("close", () => void ends.delete(end));
    }
    near.pipe(far);
    // Timers of one length fire in the order in which they were set, so the bytes keep theirs.
    far.on("data", (chunk) => setTimeout(() => near.write(chunk), delayMs));
    far.on("close", () => near.destroy());
    near.on("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const end of ends) end.destroy();
      await closed;
    },
  };
}
