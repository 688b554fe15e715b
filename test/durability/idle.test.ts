import { setTimeout as sleep } from "node:timers/promises";

import { aToken, startRedis, until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { processorTimeOf } from "../load/proc.ts";
import { MODULE, startPushPath } from "./push-path.ts";
import { Publisher } from "./publishing.ts";

const SECONDS = 10;
/** Share of a core that all roles of a host may take together while nothing is to do. */
const MOST_IDLE = 0.02;
/** The same while one wakeup per second comes, Redis included: whoever looks for work in a loop takes all of a core. */
const MOST_AT_ONE_PER_SECOND = 0.06;
/** Share of a core that a worker may take while its Redis is in trouble. */
const MOST_IN_TROUBLE = 0.01;

/** Of a core, over the next seconds. */
async function share(pids: readonly number[]): Promise<number> {
  const used = async (): Promise<number> => {
    const times = await Promise.all(pids.map(processorTimeOf));
    return times.reduce((sum, time) => sum + time, 0);
  };
  const [before, startedAt] = [await used(), performance.now()];
  await sleep(SECONDS * 1_000);
  return ((await used()) - before) / ((performance.now() - startedAt) * 1_000);
}

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

describe("a worker whose Redis is in trouble", () => {
  it("waits for it without spinning, and goes on", async () => {
    await using redis = await startRedis();
    await using path = await startPushPath({
      name: "in trouble",
      redis: { url: `redis+unix://${redis.path}` },
      windowMs: 2_000,
      ingresses: 1,
      workers: 1,
    });
    const { workers, server, domains, apns } = path;
    const client = await redis.connect();
    await sleep(3_000);
    const [worker] = workers;
    const pids = worker === undefined ? [] : [worker.pid];

    await client.config("SET", "min-replicas-to-write", "1");
    const withoutReplicas = await share(pids);
    await client.config("SET", "min-replicas-to-write", "0");
    process.kill(redis.pid, "SIGSTOP");
    const hung = await share(pids);
    process.kill(redis.pid, "SIGCONT");
    await sleep(1_000);
    await client.config("SET", "maxmemory", "1");
    const full = await share(pids);
    await client.config("SET", "maxmemory", "0");

    const publish = { to: domains[0] ?? "", node: aToken(1), module: MODULE };
    await until(async () => ((await server.publish(publish)).type === "result" ? true : undefined), {
      what: "an accepted publish",
      withinMs: 20_000,
      everyMs: 500,
    });
    await until(() => (apns.ledger.pushes.length > 0 ? true : undefined), {
      what: "a push afterwards",
      withinMs: 20_000,
    });
    const found = { withoutReplicas, hung, full };
    process.stdout.write(`worker in trouble: ${JSON.stringify(found, undefined, 1)}\n`);
    for (const taken of Object.values(found)) expect(taken).toBeLessThanOrEqual(MOST_IN_TROUBLE);
    expect(worker?.mishaps).toEqual([]);
  });
});
