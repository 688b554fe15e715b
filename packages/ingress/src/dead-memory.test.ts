import { aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { DeadMemory } from "./dead-memory.ts";

const device = (name: string) => aWakeup({ token: aToken(name) });

describe("the memory of dead devices", () => {
  it("knows a device until its time is over, so that Redis is asked again", async () => {
    const clock = new ManualClock();
    const memory = new DeadMemory({ clock, keepFor: seconds(60), most: 10 });
    memory.add(device("gone"));
    expect([memory.has(device("gone")), memory.has(device("other"))]).toEqual([true, false]);
    await clock.advance(millis(59_999));
    expect(memory.has(device("gone"))).toBe(true);
    await clock.advance(millis(1));
    expect(memory.has(device("gone"))).toBe(false);
    expect(memory.size).toBe(0);
  });

  it("is not extended by a device that is published for all the time", async () => {
    const clock = new ManualClock();
    const memory = new DeadMemory({ clock, keepFor: seconds(60), most: 10 });
    memory.add(device("gone"));
    await clock.advance(seconds(40));
    memory.add(device("gone"));
    await clock.advance(seconds(20));
    expect(memory.has(device("gone"))).toBe(false);
  });

  it("forgets those first that were added first when it is full", () => {
    const memory = new DeadMemory({ clock: new ManualClock(), keepFor: seconds(60), most: 2 });
    for (const name of ["a", "b", "c"]) memory.add(device(name));
    expect(["a", "b", "c"].map((name) => memory.has(device(name)))).toEqual([false, true, true]);
  });
});
