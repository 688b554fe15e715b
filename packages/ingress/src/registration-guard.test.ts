import { createHash } from "node:crypto";

import { aToken, ManualClock } from "@reveille/testkit";
import { minutes, type PushEvent, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { DistinctCount } from "./distinct-count.ts";
import { RegistrationGuard } from "./registration-guard.ts";

function aGuard() {
  const clock = new ManualClock();
  const states: string[] = [];
  const observe = (event: PushEvent): void => {
    if (event.kind === "registration-guard-changed") states.push(event.state);
  };
  const guard = new RegistrationGuard({ limits: { share: 0.25, devices: 50 }, clock, observe });
  const working = (count: number): void => {
    for (let device = 0; device < count; device += 1) guard.doubts("queued", aToken(`working ${device}`));
  };
  const dying = (count: number): number => {
    let doubted = 0;
    for (let device = 0; device < count; device += 1) {
      if (guard.doubts("token-dead", aToken(`dying ${device}`))) doubted += 1;
    }
    return doubted;
  };
  return { guard, clock, states, working, dying };
}

describe("the registration guard", () => {
  it("lets dead devices among many working ones be forgotten", () => {
    const { working, dying, states } = aGuard();
    working(1_000);
    expect(dying(200)).toBe(0);
    expect(states).toEqual([]);
  });

  it("doubts our settings when a quarter of the devices look dead, for all after the fiftieth at most", () => {
    const { working, dying, states } = aGuard();
    working(100);
    const doubted = dying(1_000);
    expect(doubted).toBeGreaterThanOrEqual(1_000 - 55);
    expect(states).toEqual(["on"]);
  });

  it("never doubts because of one device, however often it publishes", () => {
    const { guard, states } = aGuard();
    for (let times = 0; times < 10_000; times += 1) expect(guard.doubts("token-dead", aToken())).toBe(false);
    expect(states).toEqual([]);
  });

  it("doubts unknown modules as well, which may have been dropped from the configuration", () => {
    const { guard } = aGuard();
    let doubted = 0;
    for (let device = 0; device < 100; device += 1) {
      if (guard.doubts("unknown-module", aToken(device))) doubted += 1;
    }
    expect(doubted).toBeGreaterThan(40);
  });

  it.each(["no-device-token", "not-a-server", "blocked", "malformed", "our-trouble"] as const)(
    "has no opinion about %s: no setting of ours can be the cause",
    (result) => {
      const { guard } = aGuard();
      for (let device = 0; device < 200; device += 1)
        expect(guard.doubts(result, aToken(device))).toBe(false);
    },
  );

  it("trusts our settings again when the share is below half its limit", async () => {
    const { working, dying, states, clock } = aGuard();
    working(100);
    dying(100);
    working(300);
    await clock.advance(seconds(2));
    expect(dying(1)).toBe(1);
    working(1_000);
    await clock.advance(seconds(2));
    expect(dying(1)).toBe(0);
    expect(states).toEqual(["on", "off"]);
  });

  it("forgets what is older than five minutes", async () => {
    const { working, dying, states, clock } = aGuard();
    dying(100);
    await clock.advance(minutes(6));
    working(10);
    expect(dying(10)).toBe(0);
    expect(states).toEqual(["on", "off"]);
  });
});

const hashOf = (index: number): number => createHash("sha1").update(String(index)).digest().readUInt32BE();

describe("the count of distinct things", () => {
  it.each([0, 1, 10, 50, 500, 5_000, 100_000])("is within 10 % at %i", (distinct) => {
    const count = new DistinctCount();
    for (let repeat = 0; repeat < 2; repeat += 1) {
      for (let index = 0; index < distinct; index += 1) count.add(hashOf(index));
    }
    expect(Math.abs(count.estimate - distinct)).toBeLessThanOrEqual(distinct * 0.1);
  });

  it("joins without counting twice", () => {
    const one = new DistinctCount();
    const other = new DistinctCount();
    for (let index = 0; index < 1_000; index += 1) (index % 3 === 0 ? one : other).add(hashOf(index));
    for (let index = 0; index < 500; index += 1) one.add(hashOf(index));
    one.join(other);
    expect(one.estimate).toBeGreaterThan(900);
    expect(one.estimate).toBeLessThan(1_100);
  });
});
