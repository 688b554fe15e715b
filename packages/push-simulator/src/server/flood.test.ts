import { setTimeout as pause } from "node:timers/promises";

import { expect, it } from "vitest";

import { startApnsSimulator, startThroughputServer } from "../index.ts";
import { connectRaw, frame } from "../testing/raw-client.ts";

/** Longer than any pause of a busy machine between two reads. */
const STUCK_MS = 2_000;

it.each([
  ["the simulator", startApnsSimulator],
  ["the throughput server", startThroughputServer],
])("%s keeps little for a client that sends PINGs and reads no answer", async (_what, start) => {
  await using server = await start();
  await using client = await connectRaw(server.port, server.ca);
  const { socket } = client;
  const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame(6, 0, 0, Buffer.alloc(8))));
  const before = process.memoryUsage().rss;
  let progress = performance.now();
  socket.pause();
  const go = (): void => {
    progress = performance.now();
    for (let more = true; more && !socket.destroyed;) more = socket.write(flood);
    if (!socket.destroyed) socket.once("drain", () => setImmediate(go));
  };
  go();
  // It ends the connection, or reads no more of it.
  while (!socket.destroyed && performance.now() - progress < STUCK_MS) await pause(100);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
});
