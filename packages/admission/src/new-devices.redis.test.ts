import {
  aModule,
  aRegion,
  aRegionSecret,
  aToken,
  aWakeup,
  ManualClock,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import { deviceKeyOf, hours, redisKeysOf, seconds, type Wakeup } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { domainRules, openSenderLimits, parseDomainPattern, redisAdmission } from "./index.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);
const DAY = hours(24);
const perDomain = { perSecond: 1 / 600, burst: 3 };
const newDevices = { perDomain, inAll: { perSecond: 40 / 60, burst: 50 }, rememberFor: hours(14 * 24) };

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => void (await redis.flushall()));

const wakeupTo = (seed: number): Wakeup => aWakeup({ token: aToken(seed) });
const deviceOf = ({ token, module }: Wakeup) => deviceKeyOf(secret, token, module);

async function anIngress() {
  const clock = new ManualClock();
  const limits = await openSenderLimits({
    redis,
    region,
    secret,
    clock,
    newDeviceLimit: () => perDomain,
    grouping: () => "registrable",
  });
  const admission = redisAdmission({
    redis,
    region,
    secret,
    windowOf: () => seconds(20),
    forgetDeadAfter: () => DAY,
    clock,
    observe: () => undefined,
    redisTime: clock.now,
    limits,
    newDevices: () => newDevices,
  });
  const publish = async (sender: string, devices: readonly number[]): Promise<readonly string[]> => {
    const verdicts = await admission.decide(
      devices.map(wakeupTo),
      devices.map(() => sender),
    );
    return verdicts.map((verdict) =>
      verdict.kind === "now" && verdict.unproven === true ? "new" : verdict.kind,
    );
  };
  return { clock, admission, publish, [Symbol.asyncDispose]: async () => limits[Symbol.asyncDispose]() };
}

const OVER = "over-budget";

describe("a device that never had a push", () => {
  it("is served as long as its domain has budget, and known ones after that as well", async () => {
    await using ingress = await anIngress();
    expect(await ingress.publish("a.example", [1, 2, 3, 4])).toEqual(["new", "new", "new", OVER]);
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    await ingress.admission.noteFirst([wakeupTo(2)], false);
    ingress.clock.step(seconds(20));
    // What device 1 gave back pays for a part of what device 2 cost beyond its own token.
    expect(await ingress.publish("a.example", [1, 2, 4])).toEqual(["now", OVER, OVER]);
    expect(await ingress.publish("b.example", [4])).toEqual(["new"]);
  });

  it("costs its domain no more than the time in which two budgets fill", async () => {
    await using ingress = await anIngress();
    await ingress.publish("a.example", [1, 2, 3]);
    for (const seed of [1, 2, 3]) await ingress.admission.noteFirst([wakeupTo(seed)], false);
    const ttls = await Promise.all(
      (await redis.keys(`{${region}}budget-*`))
        .filter((key) => !key.includes("-all-"))
        .map((key) => redis.pttl(key)),
    );
    expect(ttls).toHaveLength(1);
    // Three tokens, and six for the refusals, are nine; six of them count.
    expect(ttls[0]).toBeLessThanOrEqual(seconds(3_600));
    expect(ttls[0]).toBeGreaterThan(seconds(3_590));
  });

  it("is paid for by the registered name, however many names are below it", async () => {
    await using ingress = await anIngress();
    const verdicts = [];
    for (let name = 1; name <= 5; name += 1) {
      verdicts.push(...(await ingress.publish(`s${name}.evil.co.uk`, [name])));
    }
    expect(verdicts).toEqual(["new", "new", "new", OVER, OVER]);
    expect(await ingress.publish("good.co.uk", [6])).toEqual(["new"]);
  });

  it("needs no budget where an operator allows the domain", async () => {
    const pattern = parseDomainPattern("a.example");
    if (pattern === undefined) throw new Error("no pattern");
    await domainRules({ redis, region }).set(pattern, { kind: "allowed" });
    await using ingress = await anIngress();
    const devices = Array.from({ length: 100 }, (_, seed) => seed);
    expect(new Set(await ingress.publish("x.a.example", devices))).toEqual(new Set(["new"]));
  });

  it("is told from others in a push that leaves later, too", async () => {
    await using ingress = await anIngress();
    await ingress.publish("a.example", [1]);
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    await ingress.publish("a.example", [2]);
    expect(await ingress.publish("a.example", [1, 2])).toEqual(["later", "later"]);
    ingress.clock.step(seconds(20));
    const { wakeups } = await ingress.admission.claim(10);
    const told = new Map(wakeups.map(({ token, ...rest }) => [token, rest]));
    const leaving = { module: aModule(), urgent: true, receivedAt: ingress.clock.now() };
    expect(told).toEqual(
      new Map<string, unknown>([
        [aToken(1), leaving],
        [aToken(2), { ...leaving, unproven: true }],
      ]),
    );
  });

  it("stands in Redis without a name or token, and only until the outcome of its first push", async () => {
    await using ingress = await anIngress();
    await ingress.publish("a.example", [1, 2]);
    for (const key of await redis.keys("*")) {
      if (key === keys.clock) continue;
      const text = `${key} ${await redis.get(key)}`;
      expect(text).not.toContain("example");
      expect(text).not.toContain(aToken(1).slice(0, 12));
      expect(await redis.pttl(key)).toBeGreaterThan(0);
    }
    const [first, second] = [1, 2].map((seed) => keys.newDevice(deviceOf(wakeupTo(seed))));
    expect(await redis.pttl(second ?? "")).toBeLessThanOrEqual(hours(1));
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    await ingress.admission.noteFirst([wakeupTo(2)], false);
    expect(await redis.exists(first ?? "", second ?? "")).toBe(0);
  });

  it("pays once more after Redis has forgotten it, and is known again after its next push", async () => {
    await using ingress = await anIngress();
    await ingress.publish("a.example", [1]);
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    await redis.flushall();
    expect(await ingress.publish("a.example", [1])).toEqual(["new"]);
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    ingress.clock.step(seconds(20));
    expect(await ingress.publish("a.example", [1])).toEqual(["now"]);
  });
});

describe("a device that has had a push", () => {
  it("is remembered after its last push for as long as the configuration says, and by one number", async () => {
    await using ingress = await anIngress();
    const key = keys.device(deviceOf(wakeupTo(1)));
    await ingress.publish("a.example", [1]);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(seconds(20));
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    ingress.clock.step(seconds(20));
    await redis.pexpire(key, seconds(5));
    expect(await ingress.publish("a.example", [1])).toEqual(["now"]);
    const ttl = await redis.pttl(key);
    expect(ttl).toBeGreaterThan(13 * DAY);
    expect(ttl).toBeLessThanOrEqual(14 * DAY);
    expect(await redis.get(key)).toMatch(/^\d+$/);
    expect((await redis.keys("*")).filter((name) => name.includes(deviceOf(wakeupTo(1))))).toEqual([key]);
  });

  it("stays known when it is throttled, and when its trailing push is due", async () => {
    await using ingress = await anIngress();
    await ingress.publish("a.example", [1]);
    await ingress.admission.noteFirst([wakeupTo(1)], true);
    await ingress.admission.postpone(wakeupTo(1), seconds(30));
    expect(await ingress.publish("a.example", [1])).toEqual(["later"]);
    ingress.clock.step(seconds(100));
    expect(await ingress.publish("a.example", [1, 2, 3])).toEqual(["now", "new", "new"]);
    expect(await redis.pttl(keys.device(deviceOf(wakeupTo(1))))).toBeGreaterThan(13 * DAY);
  });
});
