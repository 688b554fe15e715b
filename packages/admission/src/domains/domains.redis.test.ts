import {
  aRegion,
  aRegionSecret,
  aToken,
  aWakeup,
  ManualClock,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import { hours, redisKeysOf, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  clearSendersSeen,
  type DomainLimit,
  type DomainPattern,
  domainRules,
  openClearSenders,
  openSenderLimits,
  parseDomainPattern,
  redisAdmission,
} from "../index.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => void (await redis.flushall()));

function pattern(text: string): DomainPattern {
  const parsed = parseDomainPattern(text);
  if (parsed === undefined) throw new Error(`no pattern: ${text}`);
  return parsed;
}

/** One ingress' view of the limits, and its admission. */
async function anIngress(clock: ManualClock, defaultLimit?: DomainLimit) {
  const limits = await openSenderLimits({ redis, region, secret, clock, defaultLimit: () => defaultLimit });
  const admission = redisAdmission({
    redis,
    region,
    secret,
    windowOf: () => seconds(20),
    forgetDeadAfter: () => hours(1),
    clock,
    observe: () => undefined,
    redisTime: clock.now,
    limits,
  });
  const publish = async (sender: string, devices: readonly number[]): Promise<readonly string[]> => {
    const wakeups = devices.map((seed) => aWakeup({ token: aToken(seed) }));
    return (
      await admission.decide(
        wakeups,
        devices.map(() => sender),
      )
    ).map(({ kind }) => kind);
  };
  return { limits, admission, publish, [Symbol.asyncDispose]: async () => limits[Symbol.asyncDispose]() };
}

// A token takes 50 s, so that Redis, whose expiry is in real time, forgets no bucket during a test.
const TWO: DomainLimit = { perSecond: 0.02, burst: 2 };
const TOKEN = seconds(50);
const limited = { kind: "limited", limit: TWO } as const;

describe("the limit of a domain", () => {
  it("lets its burst through, then what flows in, and nothing of it changes a device", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, TWO);
    expect(await ingress.publish("a.example", [1, 2, 3])).toEqual(["now", "now", "over-limit"]);
    expect(await ingress.publish("b.example", [4])).toEqual(["now"]);
    clock.step(TOKEN);
    // Device 3 was refused before: for it this is the first wakeup.
    expect(await ingress.publish("a.example", [3, 5])).toEqual(["now", "over-limit"]);
  });

  it("counts every publish, also those for one device", async () => {
    await using ingress = await anIngress(new ManualClock(), TWO);
    expect(await ingress.publish("a.example", [1, 1, 1])).toEqual(["now", "merged", "over-limit"]);
  });

  it("counts the whole region together", async () => {
    const clock = new ManualClock();
    await using one = await anIngress(clock, TWO);
    await using other = await anIngress(clock, TWO);
    expect(await one.publish("a.example", [1, 2])).toEqual(["now", "now"]);
    expect(await other.publish("a.example", [3])).toEqual(["over-limit"]);
  });

  it("keeps apart what two domains publish for one device", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, { perSecond: 0.02, burst: 1 });
    const wakeups = [1, 1, 1].map((seed) => aWakeup({ token: aToken(seed) }));
    const verdicts = await ingress.admission.decide(wakeups, ["a.example", "b.example", "a.example"]);
    expect(verdicts.map(({ kind }) => kind)).toEqual(["now", "later", "over-limit"]);
  });

  it("does not believe a bucket that was written by a wrong clock", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, TWO);
    const { bucket } = ingress.limits.paidBy("a.example");
    await redis.set(bucket?.key ?? "", (clock.now() + hours(1)) * 1_000);
    expect(await ingress.publish("a.example", [1, 2, 3])).toEqual(["now", "now", "over-limit"]);
  });

  it("neither opens nor shuts when the clock of Redis steps back, and is full but once when it steps ahead", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, TWO);
    expect(await ingress.publish("a.example", [1, 2, 3])).toEqual(["now", "now", "over-limit"]);
    clock.step(-1 * hours(1));
    expect(await ingress.publish("a.example", [3])).toEqual(["over-limit"]);
    clock.step(TOKEN);
    expect(await ingress.publish("a.example", [3, 4])).toEqual(["now", "over-limit"]);
    clock.step(hours(24));
    expect(await ingress.publish("a.example", [5, 6, 7])).toEqual(["now", "now", "over-limit"]);
    clock.step(TOKEN - hours(24));
    expect(await ingress.publish("a.example", [7])).toEqual(["over-limit"]);
    clock.step(TOKEN);
    expect(await ingress.publish("a.example", [7, 8])).toEqual(["now", "over-limit"]);
  });

  it("is one for a domain, however its server writes it", async () => {
    await using ingress = await anIngress(new ManualClock(), TWO);
    const spellings = ["exämple.org", "XN--EXMPLE-CUA.org", "EXÄMPLE.org."];
    const verdicts = await ingress.admission.decide(
      spellings.map((_, seed) => aWakeup({ token: aToken(seed) })),
      spellings,
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(["now", "now", "over-limit"]);
    expect(spellings.map((spelling) => ingress.limits.refusal(spelling))).toEqual([
      undefined,
      undefined,
      "over-limit",
    ]);
  });

  it("leaves no key that lasts, and no name in any", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, TWO);
    await ingress.publish("a.example", [1, 2]);
    const buckets = await redis.keys(`{${region}}limit-*`);
    expect(buckets).toHaveLength(1);
    expect(buckets[0]).not.toContain("example");
    const ttl = await redis.pttl(buckets[0] ?? "");
    expect(ttl).toBeGreaterThan(TOKEN);
    expect(ttl).toBeLessThanOrEqual(2 * TOKEN);
  });

  it("is known without asking Redis once a flood has emptied the bucket of this ingress", async () => {
    const clock = new ManualClock();
    await using ingress = await anIngress(clock, TWO);
    const refusals = [1, 2, 3, 4].map(() => ingress.limits.refusal("a.example"));
    expect(refusals).toEqual([undefined, undefined, "over-limit", "over-limit"]);
    expect(ingress.limits.limitOf("a.example")).toEqual(TWO);
    expect(ingress.limits.refusal("b.example")).toBeUndefined();
    await clock.advance(TOKEN);
    expect(ingress.limits.refusal("a.example")).toBeUndefined();
  });

  it("costs a bounded number of buckets, whatever the number of domains", async () => {
    await using ingress = await anIngress(new ManualClock(), TWO);
    for (let domain = 0; domain < 50_000; domain += 1) ingress.limits.refusal(`${domain}.example`);
    expect(ingress.limits.refusal("49999.example")).toBeUndefined();
    expect(ingress.limits.refusal("49999.example")).toBe("over-limit");
  });
});

describe("the rules of an operator", () => {
  it("hold within a second at every ingress, and are gone as soon", async () => {
    const clock = new ManualClock();
    const rules = domainRules({ redis, region });
    await using ingress = await anIngress(clock);
    const { refusal } = ingress.limits;
    expect(refusal("spam.example")).toBeUndefined();
    await rules.set(pattern("spam.example"), { kind: "blocked" });
    await clock.advance(seconds(1));
    await expect.poll(() => refusal("spam.example")).toBe("blocked");
    expect(refusal("SPAM.example")).toBe("blocked");
    expect(refusal("x.spam.example")).toBe("blocked");
    expect(refusal("myspam.example")).toBeUndefined();
    expect(await rules.remove(pattern("spam.example"))).toBe(true);
    expect(await rules.remove(pattern("spam.example"))).toBe(false);
    await clock.advance(seconds(1));
    await expect.poll(() => refusal("spam.example")).toBeUndefined();
  });

  it("go before the default, and the own one before that of the domains above", async () => {
    const rules = domainRules({ redis, region });
    await rules.set(pattern("*.example"), { kind: "blocked" });
    await rules.set(pattern("*.good.example"), { kind: "allowed" });
    await rules.set(pattern("bad.good.example"), limited);
    await using ingress = await anIngress(new ManualClock(), { perSecond: 0.02, burst: 1 });
    const { refusal, paidBy } = ingress.limits;
    expect(refusal("a.b.example")).toBe("blocked");
    expect(paidBy("a.good.example").bucket).toBeUndefined();
    expect(paidBy("bad.good.example").bucket?.limit).toEqual(TWO);
    expect(paidBy("example").bucket?.limit).toEqual({ perSecond: 0.02, burst: 1 });
  });

  it("count all domains below a pattern as one", async () => {
    await domainRules({ redis, region }).set(pattern("*.example"), limited);
    await using ingress = await anIngress(new ManualClock());
    const publishes = [1, 2, 3].map((seed) => aWakeup({ token: aToken(seed) }));
    const verdicts = await ingress.admission.decide(publishes, ["a.example", "b.example", "c.example"]);
    expect(verdicts.map(({ kind }) => kind)).toEqual(["now", "now", "over-limit"]);
  });

  it("are listed by name, without what nobody can read", async () => {
    const rules = domainRules({ redis, region });
    await rules.set(pattern("b.example"), limited);
    await rules.set(pattern("a.example"), { kind: "allowed" });
    await redis.hset(keys.domainRules, "c.example", "limited 0 0", "d.example", "nonsense", "e e", "blocked");
    expect(await rules.list()).toEqual([
      { pattern: "a.example", rule: { kind: "allowed" } },
      { pattern: "b.example", rule: limited },
    ]);
  });

  it("are the last known ones while Redis is away", async () => {
    await using own = await startRedis();
    const connection = await own.connect();
    const clock = new ManualClock();
    await domainRules({ redis: connection, region }).set(pattern("a.example"), { kind: "blocked" });
    await using limits = await openSenderLimits({ redis: connection, region, secret, clock });
    connection.disconnect();
    await clock.advance(seconds(3));
    expect(limits.refusal("a.example")).toBe("blocked");
  });
});

describe("the list of domains that send content in clear", () => {
  it("has the newest first, what they seem to run and when they were seen last; no more than 200", async () => {
    const clock = new ManualClock();
    {
      await using senders = openClearSenders({ redis, region, clock });
      for (let index = 0; index < 500; index += 1) senders.note(`${index}.example`, "tigase");
      clock.step(1_000);
      senders.note("1.example", "mongooseim");
      senders.note("not a domain", "other");
      senders.note("1.example", "tigase");
    }
    const seen = await clearSendersSeen({ redis, region });
    expect(seen[0]).toEqual({ domain: "1.example", software: "tigase", lastSeen: clock.now() });
    expect(seen.length).toBeLessThanOrEqual(200);
    expect(await redis.zcard(keys.clearSenders)).toBeLessThanOrEqual(200);
    expect(await redis.pttl(keys.clearSenders)).toBeGreaterThan(hours(6 * 24));
  });

  it("forgets a domain after a week", async () => {
    const clock = new ManualClock();
    for (const domain of ["old.example", "new.example"]) {
      clock.step(hours(8 * 24));
      await using senders = openClearSenders({ redis, region, clock });
      senders.note(domain, "mongooseim");
    }
    expect(await clearSendersSeen({ redis, region })).toMatchObject([{ domain: "new.example" }]);
  });
});
