import { aModule, aToken, ManualClock } from "@reveille/testkit";
import { minutes, type PublishResult, type PushEvent, type PushModule } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { DeviceCounts } from "./device-counts.ts";
import { RegistrationGuard } from "./registration-guard.ts";

type Changed = Extract<PushEvent, { kind: "registration-guard-changed" }>;

function aGuard() {
  const clock = new ManualClock();
  const changes: Changed[] = [];
  const observe = (event: PushEvent): void => {
    if (event.kind === "registration-guard-changed") changes.push(event);
  };
  const guard = new RegistrationGuard({ limits: { share: 0.25, devices: 50 }, clock, observe });
  /** How many of so many devices of a domain are told `wait` for `result`. */
  const publish = (
    result: PublishResult,
    count: number,
    { domain = "a.example", module = aModule() }: { domain?: string; module?: PushModule | undefined } = {},
  ): number => {
    let doubted = 0;
    for (let device = 0; device < count; device += 1) {
      if (guard.doubts(result, { module, domain, device: `${result} ${domain} ${device}` })) doubted += 1;
    }
    return doubted;
  };
  const states = () => changes.map(({ scope, state }) => `${scope} ${state}`);
  return { guard, clock, changes, states, publish };
}

/** Publishes for a module that was never configured. */
const invented = (guard: RegistrationGuard, domain: string, count: number): number => {
  let doubted = 0;
  for (let device = 0; device < count; device += 1) {
    const about = { module: undefined, domain, device: `invented ${device}` };
    if (guard.doubts("unknown-module", about)) doubted += 1;
  }
  return doubted;
};

describe("the registration guard", () => {
  it("lets dead devices among many working ones be forgotten", () => {
    const { publish, states } = aGuard();
    publish("queued", 1_000);
    expect(publish("token-dead", 200)).toBe(0);
    expect(states()).toEqual([]);
  });

  it.each([
    ["APNs tokens", (device: number) => aToken(device)],
    ["FCM tokens", (device: number) => `c8_${device}:APA91b${"xYz-_".repeat(25)}`],
    ["tokens with one ending", (device: number) => `${device}:APA91b${"0".repeat(120)}`],
  ])("doubts a domain's module at the fiftieth dead device, by the whole of %s", (_kind, tokenOf) => {
    const { guard, changes } = aGuard();
    const told = Array.from({ length: 60 }, (_, device) =>
      guard.doubts("token-dead", { module: aModule(), domain: "a.example", device: tokenOf(device) }),
    );
    // Two of them may fall on one bit of two million.
    expect(told.indexOf(true)).toBeGreaterThanOrEqual(49);
    expect(told.indexOf(true)).toBeLessThanOrEqual(51);
    expect(changes).toMatchObject([{ scope: "domain", state: "on", doubted: 1 }]);
  });

  it("does not let 60 publishes for an invented module switch it on for others", () => {
    const { guard, publish, states } = aGuard();
    expect(invented(guard, "evil.example", 60)).toBeGreaterThan(5);
    expect(states()).toEqual(["domain on"]);
    expect(publish("token-dead", 40)).toBe(0);
    expect(invented(guard, "a.example", 40)).toBe(0);
  });

  it("does not let one domain's invented tokens switch a module on for others", () => {
    const { publish, states } = aGuard();
    publish("token-dead", 5_000, { domain: "evil.example" });
    expect(states()).toEqual(["domain on"]);
    expect(publish("token-dead", 40)).toBe(0);
    expect(publish("token-dead", 1, { domain: "evil.example" })).toBe(1);
  });

  it("does not let four domains do it, nor a tenth of the domains", () => {
    const { publish, states } = aGuard();
    for (let domain = 0; domain < 4; domain += 1)
      publish("token-dead", 40, { domain: `evil${domain}.example` });
    expect(states()).toEqual([]);
    for (let domain = 0; domain < 200; domain += 1) publish("queued", 20, { domain: `d${domain}.example` });
    for (let domain = 4; domain < 20; domain += 1)
      publish("token-dead", 40, { domain: `evil${domain}.example` });
    expect(states()).toEqual([]);
  });

  it("doubts a module for all when the devices of many small domains look dead, and no other module", () => {
    const { publish, changes } = aGuard();
    for (let domain = 0; domain < 60; domain += 1) publish("token-dead", 1, { domain: `d${domain}.example` });
    expect(changes).toMatchObject([{ scope: "module", module: aModule(), state: "on", devices: 50 }]);
    expect(publish("token-dead", 1, { domain: "new.example" })).toBe(1);
    expect(publish("token-dead", 1, { domain: "new.example", module: aModule("other") })).toBe(0);
  });

  it("is not led by a large domain in which one device of a hundred is dead", () => {
    const { publish, states } = aGuard();
    for (let domain = 0; domain < 50; domain += 1) {
      publish("queued", 990, { domain: `d${domain}.example` });
      publish("token-dead", 10, { domain: `d${domain}.example` });
    }
    expect(states()).toEqual([]);
  });

  it("never doubts because of one device, however often it publishes", () => {
    const { guard, states } = aGuard();
    const about = { module: aModule(), domain: "a.example", device: aToken() };
    for (let times = 0; times < 10_000; times += 1) expect(guard.doubts("token-dead", about)).toBe(false);
    expect(states()).toEqual([]);
  });

  it.each([
    "no-device-token",
    "not-a-server",
    "blocked",
    "malformed",
    "our-trouble",
    "module-changed",
  ] as const)("has no opinion about %s: no setting of ours can be the cause", (result) => {
    const { publish } = aGuard();
    expect(publish(result, 200)).toBe(0);
  });

  it("trusts our settings again when the share is below half its limit", () => {
    const { publish, states } = aGuard();
    publish("token-dead", 100);
    expect(publish("token-dead", 100)).toBe(100);
    publish("queued", 1_000);
    expect(publish("token-dead", 100)).toBe(0);
    expect(states()).toEqual(["domain on", "domain off"]);
  });

  it("forgets what is older than ten minutes, with nobody else publishing", async () => {
    const { publish, states, clock } = aGuard();
    publish("token-dead", 100);
    await clock.advance(minutes(11));
    publish("queued", 1, { domain: "other.example" });
    expect(states()).toEqual(["domain on", "domain off"]);
    expect(publish("token-dead", 10)).toBe(0);
  });
});

describe("the counts of devices", () => {
  it("stay bounded with thousands of invented modules and domains, and count what is beyond together", () => {
    const counts = new DeviceCounts(new ManualClock(), 10, 100);
    for (let index = 0; index < 5_000; index += 1) {
      counts.add({ module: undefined, domain: `d${index}.example` }, aToken(index), true);
    }
    expect(counts.pairs).toBe(101);
    expect(counts.of({ module: undefined, domain: "new.example" }).ofDomain.ended).toBeGreaterThan(4_800);
    expect(counts.of({ module: undefined, domain: "d1.example" }).ofDomain).toEqual({ ended: 1, all: 1 });
  });

  it.each([1, 50, 5_000, 100_000])("are within 5 %% at %i devices", (devices) => {
    const counts = new DeviceCounts(new ManualClock(), 10);
    const scope = { module: aModule(), domain: "a.example" };
    for (let repeat = 0; repeat < 2; repeat += 1)
      for (let index = 0; index < devices; index += 1) counts.add(scope, `device ${index}`, false);
    expect(Math.abs(counts.of(scope).ofDomain.all - devices)).toBeLessThanOrEqual(devices * 0.05);
  });
});
