import { ManualClock } from "@reveille/testkit";
import { minutes, type Outcome } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { TokenGuard } from "./token-guard.ts";

const DELIVERED: Outcome = { kind: "delivered", apnsId: "id" };
const BAD: Outcome = { kind: "token-dead", reason: "BadDeviceToken", proof: "suspected" };
const GONE: Outcome = { kind: "token-dead", reason: "Unregistered", proof: "certain" };

function aGuard(): { guard: TokenGuard; clock: ManualClock; changes: string[] } {
  const clock = new ManualClock();
  const changes: string[] = [];
  return { guard: new TokenGuard(clock, (state) => void changes.push(state)), clock, changes };
}

function check(guard: TokenGuard, count: number, outcome: Outcome): void {
  for (let index = 0; index < count; index += 1) guard.check(outcome);
}

describe("the token guard", () => {
  it("believes single bad tokens among many deliveries", () => {
    const { guard, changes } = aGuard();
    check(guard, 80, DELIVERED);
    check(guard, 20, BAD);
    expect(guard.check(BAD)).toBe(BAD);
    expect(changes).toEqual([]);
  });

  it("declares no token dead once a large share is bad, and has the wakeup tried again later", () => {
    const { guard, changes } = aGuard();
    check(guard, 20, BAD);
    expect(guard.check(BAD)).toEqual({
      kind: "unreachable",
      reason: "BadDeviceToken",
      retryAfter: minutes(15),
    });
    expect(changes).toEqual(["on"]);
  });

  it("draws no conclusion from the share among a few answers", () => {
    const { guard } = aGuard();
    check(guard, 1, DELIVERED);
    check(guard, 17, BAD);
    expect(guard.check(BAD)).toBe(BAD);
  });

  it("believes no bad token before a push of the module was delivered, however few they are", () => {
    const { guard } = aGuard();
    expect(guard.check(BAD)).toMatchObject({ kind: "unreachable", retryAfter: minutes(15) });
    check(guard, 1, DELIVERED);
    expect(guard.check(BAD)).toBe(BAD);
  });

  it("is not switched by made-up tokens of devices that never had a push, and has none of those tried again", () => {
    const { guard, changes } = aGuard();
    check(guard, 1, DELIVERED);
    for (let index = 0; index < 1_000; index += 1) expect(guard.check(BAD, true)).toBe(BAD);
    expect(changes).toEqual([]);
    expect(guard.check(BAD)).toBe(BAD);
  });

  it("doubts a bad token of a new device before a push of the module was delivered, and while it is on", () => {
    const { guard } = aGuard();
    expect(guard.check(BAD, true)).toEqual({ ...BAD, proof: "doubted" });
    check(guard, 1, DELIVERED);
    check(guard, 30, BAD);
    expect(guard.check(BAD, true)).toEqual({ ...BAD, proof: "doubted" });
  });

  it("always believes Apple's own word that a token is gone", () => {
    const { guard } = aGuard();
    check(guard, 30, BAD);
    expect(guard.check(GONE)).toBe(GONE);
  });

  it("ends when the share is small again", async () => {
    const { guard, clock, changes } = aGuard();
    check(guard, 30, BAD);
    await clock.advance(minutes(6));
    check(guard, 100, DELIVERED);
    expect(changes).toEqual(["on"]);
    await clock.advance(minutes(6));
    check(guard, 30, DELIVERED);
    expect(changes).toEqual(["on", "off"]);
  });

  it("does not count what was long ago", async () => {
    const { guard, clock } = aGuard();
    check(guard, 1, DELIVERED);
    check(guard, 30, BAD);
    await clock.advance(minutes(30));
    expect(guard.check(BAD)).toBe(BAD);
  });
});
