import {
  aRegion,
  aRegionSecret,
  aToken,
  aWakeup,
  ManualClock,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import { hours, millis, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { redisAdmission } from "../index.ts";
import { draw } from "./domain-limit.ts";
import { type SharedBucket } from "./local-buckets.ts";

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());

const SENDERS = ["a.example", "b.example", "free.example"];
// A token takes 50 s at least: Redis, whose expiry is in real time, forgets a bucket no sooner, however busy the machine.
const limit = fc.record({
  perSecond: fc.constantFrom(0.001, 0.003, 0.007, 0.01, 0.02),
  burst: fc.integer({ min: 1, max: 20 }),
});
const step = fc.record({
  by: fc.oneof(fc.constantFrom(0, 1, 20, 1_000, 99_900, 99_999), fc.integer({ min: 0, max: 3_000_000 })),
  senders: fc.array(fc.constantFrom(...SENDERS), { maxLength: 40 }),
});

describe("the script that limits domains", () => {
  /** Seen to fail by: no bound for what lies ahead, one token more or less when full, µs taken for ms, no rounding. */
  it("lets as many wakeups pass as the rule does, those first that came first", async () => {
    const follows = async (
      limits: readonly { perSecond: number; burst: number }[],
      steps: readonly Step[],
    ) => {
      await redis.flushall();
      const clock = new ManualClock();
      // Small numbers, so that the rule is exact.
      const startedAt = clock.now();
      const buckets = new Map(
        limits.map((each, index): [string, SharedBucket] => [
          SENDERS[index] ?? "",
          { key: `{eu}b${index}`, limit: each },
        ]),
      );
      const admission = anAdmission(clock, (sender) => buckets.get(sender));
      const fullAt = new Map<string, number>();
      let token = 0;
      for (const { by, senders } of steps) {
        clock.step(by);
        const wakeups = senders.map(() => aWakeup({ token: aToken((token += 1)) }));
        const verdicts = await admission.decide(wakeups, senders);
        const expected = senders.map((sender) => {
          const bucket = buckets.get(sender);
          if (bucket === undefined) return "now";
          const drawn = draw(fullAt.get(sender) ?? 0, millis(clock.now() - startedAt), bucket.limit, 1);
          fullAt.set(sender, drawn.fullAt);
          return drawn.given === 1 ? "now" : "over-limit";
        });
        expect(verdicts.map(({ kind }) => kind)).toEqual(expected);
      }
    };
    await fc.assert(fc.asyncProperty(fc.tuple(limit, limit), fc.array(step, { maxLength: 10 }), follows), {
      numRuns: 300,
    });
  }, 60_000);
});

interface Step {
  readonly by: number;
  readonly senders: readonly string[];
}

const anAdmission = (clock: ManualClock, bucketOf: (sender: string) => SharedBucket | undefined) =>
  redisAdmission({
    redis,
    region: aRegion(),
    secret: aRegionSecret(),
    windowOf: () => seconds(20),
    forgetDeadAfter: () => hours(1),
    clock,
    observe: () => undefined,
    redisTime: clock.now,
    limits: {
      paidBy: (sender) => {
        const bucket = bucketOf(sender);
        return bucket === undefined ? {} : { bucket };
      },
    },
  });
