import { aRegion, aRegionSecret, aToken, aWakeup, ManualClock, startRedis } from "@reveille/testkit";
import { minutes, redisKeysOf, seconds } from "@reveille/wakeup";
import { expect, it } from "vitest";

import { redisAdmission, trailingStatus } from "./index.ts";

const keys = redisKeysOf(aRegion());

async function aScene() {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startRedis());
  const redis = await server.connect();
  const clock = new ManualClock();
  const at = { redis, region: aRegion(), redisTime: clock.now };
  const admission = redisAdmission({
    ...at,
    secret: aRegionSecret(),
    windowOf: () => seconds(20),
    forgetDeadAfter: () => minutes(60),
    clock,
    observe: () => undefined,
  });
  const resources = opened.move();
  return {
    redis,
    clock,
    admission,
    /** Two wakeups of a device: the second one is a trailing push, due 20 s after. */
    wakeTwice: async (seed: number) => {
      const wakeup = aWakeup({ token: aToken(seed) });
      await admission.decide([wakeup]);
      await admission.decide([wakeup]);
    },
    status: async () => trailingStatus(at),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

it("trailing pushes are counted with when the next is due, and how many nobody has moved", async () => {
  await using scene = await aScene();
  const { clock, wakeTwice, status } = scene;
  expect(await status()).toEqual({ waiting: 0, overdue: 0, oldestDue: 0 });

  await wakeTwice(1);
  await clock.advance(seconds(5));
  await wakeTwice(2);
  expect(await status()).toEqual({ waiting: 2, overdue: 0, nextDueIn: 15_000, oldestDue: 0 });

  await clock.advance(seconds(15));
  expect(await status()).toEqual({ waiting: 2, overdue: 0, nextDueIn: 0, oldestDue: 0 });
  // Workers look each 100 ms, so a second says nothing yet.
  await clock.advance(seconds(1));
  expect(await status()).toEqual({ waiting: 2, overdue: 0, nextDueIn: 0, oldestDue: 1_000 });
  await clock.advance(seconds(3));
  expect(await status()).toEqual({ waiting: 2, overdue: 1, nextDueIn: 0, oldestDue: 4_000 });
});

it("a trailing push in a worker's hand is due again when the lease ends, and gone once it is confirmed", async () => {
  await using scene = await aScene();
  await scene.wakeTwice(1);
  await scene.clock.advance(seconds(30));
  const claim = await scene.admission.claim(10);
  expect(await scene.status()).toEqual({ waiting: 1, overdue: 0, nextDueIn: 10_000, oldestDue: 0 });
  await claim.confirm();
  expect(await scene.status()).toEqual({ waiting: 0, overdue: 0, oldestDue: 0 });
});

it("looking at trailing pushes writes nothing, and goes by the region's clock", async () => {
  await using scene = await aScene();
  const { redis, clock, wakeTwice, status } = scene;
  await wakeTwice(1);
  // A failover to a host whose clock is a minute behind: the region's goes on from where it was.
  await redis.set(keys.clock, `${clock.now() + 60_000} ${clock.now()}`);
  await redis.config("RESETSTAT");
  expect(await status()).toEqual({ waiting: 1, overdue: 1, nextDueIn: 0, oldestDue: 40_000 });
  expect(await redis.info("commandstats")).not.toMatch(/cmdstat_(?:set|zadd|zrem):/);
});
