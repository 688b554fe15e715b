import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ManualClock } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { expect, it } from "vitest";

import { startSidecar } from "./index.ts";
import { metrics } from "./testing/some-metrics.ts";

it("a sidecar whose poll does not end is stuck", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-host-"));
  const time = new ManualClock();
  const clock = { now: time.now, monotonic: time.monotonic, sleep: time.sleep };
  await using sidecar = await startSidecar({
    region: "eu",
    host: "s1.eu.push.example",
    version: "1",
    runtimeDir: folder.path,
    listen: { host: "127.0.0.1", port: 0 },
    metrics,
    clock,
    observe: () => undefined,
  });
  expect(sidecar.health().health).toEqual({ kind: "ready" });
  // From now on no rest between two polls ends, as if a poll did not.
  clock.sleep = (_duration, signal) =>
    new Promise((resolve) => {
      signal?.addEventListener("abort", () => resolve());
    });
  await time.advance(seconds(16));
  expect(sidecar.health()).toEqual({
    part: "polls",
    health: { kind: "failing", because: "a poll of the roles does not end", stuck: true },
  });
});
