import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ask, freePort, Program } from "@reveille/testkit";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { expect, it, vi } from "vitest";

import { watchSentinels } from "./index.ts";

// ioredis looks at the real time by itself.
const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

async function startSentinel(folder: string, index: number) {
  const port = await freePort();
  const file = join(folder, `sentinel-${index}.conf`);
  // A primary that is down has its address nevertheless.
  await writeFile(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor eu 127.0.0.1 1 2\n`);
  const program = await Program.start({
    name: `sentinel-${index}`,
    command: "redis-server",
    args: [file, "--sentinel"],
    folder,
    ready: async () => ask({ kind: "redis-ping", at: { port } }),
  });
  return { program, port };
}

it("a host sees which of its Sentinels answer, and misses those that are frozen, killed or of another mind", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-sentinels-"));
  const sentinels = await Promise.all([1, 2, 3].map((index) => startSentinel(folder.path, index)));
  await using programs = new AsyncDisposableStack();
  for (const { program } of sentinels) programs.defer(async () => program.kill());
  const addresses = sentinels.map(({ port }) => ({ host: "127.0.0.1", port }));
  await using watch = await watchSentinels({ sentinels: addresses, name: "eu" }, clock);
  const seen = (agreeing: number) =>
    vi.waitFor(() => expect(watch.sight()).toEqual({ configured: 3, agreeing }));
  await seen(3);
  sentinels[0]?.program.signal("SIGSTOP");
  await seen(2);
  await sentinels[1]?.program.kill();
  await seen(1);
  expect(await watch.agree()).toBe(false);
  sentinels[0]?.program.signal("SIGCONT");
  await seen(2);
  // Each has half a second for its answer.
  await vi.waitFor(async () => expect(await watch.agree()).toBe(true));
  await using strangers = await watchSentinels({ sentinels: addresses, name: "us" }, clock);
  expect(strangers.sight()).toEqual({ configured: 3, agreeing: 0 });
});
