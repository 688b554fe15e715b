import { setTimeout as sleep } from "node:timers/promises";

import { aToken, startRedis, until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { processorTimeOf } from "../load/proc.ts";
import { startPushPath } from "./push-path.ts";
import { Publisher } from "./publishing.ts";

const SECONDS = 10;
/** Share of a core that all roles of a host may take together while nothing is to do. */
const MOST_IDLE = 0.02;
/** The same while one wakeup per second comes, Redis included: whoever looks for work in a loop takes all of a core. */
const MOST_AT_ONE_PER_SECOND = 0.06;

// Seen to fail: a worker that asks for batches without waiting takes 0.43 of a core.
describe("a region with little to do", () => {
  it("costs next to nothing", async () => {
    await using redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
    await using path = await startPushPath({
      name: "idle",
      redis: { url: `redis+unix://${redis.path}` },
      windowMs: 2_000,
      ingresses: 1,
      workers: 1,
      sidecar: true,
    });
    const { ingresses, workers, sidecars, server, domains, apns } = path;
    const roles = [...ingresses, ...workers, ...sidecars];
    // What a start leaves to be compiled and collected is not idling.
    await sleep(3_000);
    const share = async (pids: readonly number[]): Promise<number> => {
      const used = async (): Promise<number> => {
        const times = await Promise.all(pids.map(processorTimeOf));
        return times.reduce((sum, time) => sum + time, 0);
      };
      const [before, startedAt] = [await used(), performance.now()];
      await sleep(SECONDS * 1_000);
      return ((await used()) - before) / ((performance.now() - startedAt) * 1_000);
    };
    const idle = await share(roles.map(({ pid }) => pid));
    const redisIdle = await share([redis.pid]);

    const publisher = new Publisher({
      server,
      rate: 1,
      target: (index) => (index > SECONDS + 2 ? undefined : { token: aToken(index), to: domains[0] ?? "" }),
    });
    const publishing = publisher.run();
    const busy = await share([...roles.map(({ pid }) => pid), redis.pid]);
    await publishing;
    await until(() => (apns.ledger.pushes.length > SECONDS ? true : undefined), {
      what: "a push for each publish",
      withinMs: 20_000,
    });
    process.stdout.write(
      `idle: ${JSON.stringify({ roles: idle, redis: redisIdle, atOnePerSecond: busy }, undefined, 1)}\n`,
    );
    expect(idle).toBeLessThanOrEqual(MOST_IDLE);
    expect(busy).toBeLessThanOrEqual(MOST_AT_ONE_PER_SECOND);
  });
});
