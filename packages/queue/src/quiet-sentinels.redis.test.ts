import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ask, freePort, Program } from "@reveille/testkit";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { expect, it, vi } from "vitest";

import { openWorkerRedis } from "./index.ts";

const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

async function start(folder: string, name: string, args: readonly string[], port: number) {
  const ready = async () => ask({ kind: "redis-ping", at: { port } });
  return Program.start({ name, command: "redis-server", args, folder, ready });
}

// Seen to fail: without QuietSentinels ioredis prints an "Unhandled error event" for each connection.
it("a Sentinel that is out of reach is no reason to print anything beside the log", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-quiet-"));
  await using programs = new AsyncDisposableStack();
  const [port, sentinelPort, nobody] = [await freePort(), await freePort(), await freePort()];
  const loopback = ["--bind", "127.0.0.1", "--save", ""];
  programs.use(await start(folder.path, "redis", ["--port", `${port}`, ...loopback], port));
  const file = join(folder.path, "sentinel.conf");
  await writeFile(file, `port ${sentinelPort}\nbind 127.0.0.1\nsentinel monitor eu 127.0.0.1 ${port} 1\n`);
  programs.use(await start(folder.path, "sentinel", [file, "--sentinel"], sentinelPort));

  const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const sentinels = [sentinelPort, nobody].map((one) => ({ host: "127.0.0.1", port: one }));
  const redis = await openWorkerRedis(
    { sentinels, name: "eu" },
    { connection: "worker", clock, observe: () => undefined },
  );
  // As BullMQ makes its blocking connection.
  const another = redis.duplicate();
  another.on("error", () => undefined);
  const subscribed = new Promise((resolve) => void another.once("ready", resolve));
  expect(await another.ping()).toBe("PONG");
  await subscribed;
  // The detector's connections begin when their owner is there, and are refused within a moment.
  await delay(300);
  expect(printed).not.toHaveBeenCalled();
  another.disconnect();
  redis.disconnect();
});
