import { setTimeout as pause } from "node:timers/promises";

import { aModule, aRegion, aRegionSecret, aToken, aWakeup, ManualClock, startRedis } from "@reveille/testkit";
import { deviceKeyOf, millis, redisKeysOf, type PushEvent } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { followPushTests, openPushTest } from "./push-tests.ts";
import { parseTestAnswer } from "./test-answer.ts";

const [region, secret] = [aRegion(), aRegionSecret()];
const tested = { token: aToken("tested"), module: aModule() };

const settled = (wakeup = aWakeup(tested)): PushEvent => ({
  kind: "delivery-settled",
  wakeup,
  outcome: { kind: "delivered", apnsId: "1d11627b" },
  next: "done",
  age: millis(1),
  took: millis(1),
});

/** Lets manual time run until `work` is done; Redis lives in real time and needs some. */
async function whileTimePasses<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  void work.finally(() => done.abort());
  while (!done.signal.aborted) {
    await clock.advance(millis(250));
    await pause(5);
  }
  return work;
}

describe("a push test", () => {
  it("hears what a worker has to tell of its device, and of no other; nothing of it stays", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const clock = new ManualClock();
    await using worker = followPushTests({ redis, region, secret, clock });
    worker.note(settled());
    expect(await redis.keys("*")).toEqual([]);

    const opening = openPushTest({ redis: await server.connect(), region, secret, clock }, tested);
    const test = await whileTimePasses(clock, opening);
    const other = settled(aWakeup({ token: aToken("other") }));
    await expect
      .poll(async () => {
        worker.note(other);
        worker.note(settled());
        return test.next(millis(100));
      })
      .toEqual({ kind: "settled", next: "done", outcome: { kind: "delivered", apnsId: "1d11627b" } });
    worker.note({ kind: "wakeup-dropped", wakeup: aWakeup(tested), because: "deadline" });
    await expect.poll(() => test.next(millis(100))).toEqual({ kind: "dropped", because: "deadline" });

    const keys = await redis.keys("*");
    expect(keys.some((key) => key.includes(tested.token))).toBe(false);
    for (const key of keys) expect(await redis.ttl(key)).toBeGreaterThan(0);
    await test[Symbol.asyncDispose]();
    expect(await redis.exists(redisKeysOf(region).tests)).toBe(0);
    expect(
      await redis.exists(redisKeysOf(region).testAnswers(deviceKeyOf(secret, tested.token, tested.module))),
    ).toBe(0);
  });

  it("ends without an answer where no worker runs", async () => {
    await using server = await startRedis();
    const clock = new ManualClock();
    const redis = await server.connect();
    const opening = openPushTest({ redis, region, secret, clock }, tested);
    await using test = await whileTimePasses(clock, opening);
    expect(await test.next(millis(50))).toBeUndefined();
  });

  it.each([
    "",
    "{}",
    "null",
    `{"kind":"settled","next":"later","outcome":{"kind":"delivered"}}`,
    `{"kind":"dropped"}`,
  ])("takes %j for no answer", (text) => {
    expect(parseTestAnswer(text)).toBeUndefined();
  });
});
