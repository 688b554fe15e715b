import { createServer } from "node:net";

/** Below the range the kernel takes ports of outgoing connections from, so that none of them sits in between. */
const LOWEST = 20_000;
/** Vitest numbers the processes that run tests at once: each takes ports from a part of the range, so that none gets another's. */
const PARTS = 4;
const PORTS_OF_PART = 3_000;
const FIRST = LOWEST + (Number(process.env["VITEST_POOL_ID"] ?? 0) % PARTS) * PORTS_OF_PART;

const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nobody listens on, and that this process has not given out before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * PORTS_OF_PART);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
