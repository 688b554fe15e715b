import { setTimeout as pause } from "node:timers/promises";

import { aRegion, aRegionSecret, ManualClock, startRedis } from "@reveille/testkit";
import { millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { consumeWakeups } from "./consume-wakeups.ts";
import { openProducerRedis, openWorkerRedis } from "./open-redis.ts";
import { followPushTests } from "./push-tests.ts";
import { watchRedisRoom } from "./redis-room.ts";
import { watchRegionHealth } from "./region-health.ts";
import { openRegionSigns } from "./region-signs.ts";
import { openWakeupQueue } from "./wakeup-queue.ts";

const [region, secret] = [aRegion(), aRegionSecret()];
const observe = (): void => undefined;

/** None of them is what any command of ours is answered; vitest fails on a rejection that nobody handles. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ["nothing", null],
  ["a number", 7],
  ["a text", "wrong"],
  ["an empty list", []],
  ["a list of nothing", [null]],
  ["a list of lists", [[7, "wrong"]]],
  ["a map", { wrong: 7 }],
];

describe("what runs beside the queue", () => {
  it.each(WRONG)("goes on after a Redis that answers everything with %s", async (_what, wrong) => {
    await using server = await startRedis();
    const clock = new ManualClock();
    const settings = { url: `redis+unix://${server.path}` };
    const open = { connection: "test", clock, observe };
    const redis = await openProducerRedis(settings, open);
    const blocking = await openWorkerRedis(settings, open);
    const shared = { redis, region, secret, clock, observe, node: "s1", host: "s1", waitReplicas: 0 };
    await using stack = new AsyncDisposableStack();
    const queue = stack.use(await openWakeupQueue(shared));
    const signs = stack.use(await openRegionSigns({ ...shared, give: () => ["worker"] }));
    const health = stack.use(await watchRegionHealth({ queue, signs, sentinels: undefined, clock }));
    stack.use(await watchRedisRoom(shared));
    stack.use(followPushTests(shared));
    const consumer = stack.use(
      await consumeWakeups({
        ...shared,
        redis: blocking,
        handle: () => Promise.resolve([]),
        batchesAtOnce: 10,
      }),
    );
    const rights = [redis, blocking].map((each) => each.sendCommand.bind(each));
    const isRight = (): boolean => health.health().every(({ health: { kind } }) => kind === "ready");
    await advance(clock);
    expect(isRight()).toBe(true);

    for (const each of [redis, blocking]) {
      each.sendCommand = (command): Promise<unknown> => {
        command.resolve(wrong);
        return Promise.resolve(wrong);
      };
    }
    await advance(clock);
    for (const [index, each] of [redis, blocking].entries()) {
      const right = rights[index];
      if (right !== undefined) each.sendCommand = right;
    }

    await expect
      .poll(async () => {
        await clock.advance(seconds(1));
        return isRight() && consumer.health().health.kind === "ready";
      })
      .toBe(true);
  });
});

async function advance(clock: ManualClock): Promise<void> {
  for (let times = 0; times < 12; times += 1) {
    await clock.advance(millis(500));
    await pause(5);
  }
}
