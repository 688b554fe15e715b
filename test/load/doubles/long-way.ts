import { once } from "node:events";
import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";

import { portOf } from "../ports.ts";

/** A long way to a server: what it says arrives later. */
export interface LongWay extends AsyncDisposable {
  readonly port: number;
}

/** Passes TCP on, and what comes back only after `delayMs`. Either end may be killed when a run is over. */
export async function openLongWay(to: NetConnectOpts, delayMs: number): Promise<LongWay> {
  const ends = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ noDelay: true, ...to });
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => undefined);
      end.on("close", () => void ends.delete(end));
    }
    near.pipe(far);
    // Timers of one length fire in the order in which they were set, so the bytes keep theirs.
    far.on("data", (chunk) => setTimeout(() => near.write(chunk), delayMs));
    far.on("close", () => setTimeout(() => near.destroy(), delayMs));
    near.on("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const end of ends) end.destroy();
      await closed;
    },
  };
}
