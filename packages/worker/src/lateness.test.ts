import { aModule, ManualClock } from "@reveille/testkit";
import { minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { Lateness } from "./lateness.ts";

describe("lateness", () => {
  it("is a backlog when one of few wakeups is late", () => {
    const lateness = new Lateness(new ManualClock());
    expect(lateness.note(aModule(), 0, 1)).toBe(false);
    expect(lateness.note(aModule(), 1, 1)).toBe(true);
  });

  it("is no backlog when a few of many are", () => {
    const lateness = new Lateness(new ManualClock());
    lateness.note(aModule(), 0, 1_000);
    expect(lateness.note(aModule(), 20, 100)).toBe(false);
    expect(lateness.note(aModule(), 40, 40)).toBe(true);
  });

  it("of one module is nothing to another", () => {
    const lateness = new Lateness(new ManualClock());
    lateness.note(aModule("refused"), 100, 100);
    expect(lateness.note(aModule("other"), 0, 1)).toBe(false);
  });

  it("is forgotten with time", async () => {
    const clock = new ManualClock();
    const lateness = new Lateness(clock);
    lateness.note(aModule(), 100, 100);
    await clock.advance(seconds(5));
    expect(lateness.note(aModule(), 0, 100)).toBe(true);
    await clock.advance(minutes(1));
    expect(lateness.note(aModule(), 0, 100)).toBe(false);
  });
});
