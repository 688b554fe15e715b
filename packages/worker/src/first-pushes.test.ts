import { setImmediate } from "node:timers/promises";

import { aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { millis, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { FirstPushes } from "./first-pushes.ts";

const wakeups = (count: number): readonly Wakeup[] =>
  Array.from({ length: count }, (_none, index) => aWakeup({ token: aToken(index) }));

function aScene(noteFirst = async (): Promise<void> => Promise.resolve()) {
  const clock = new ManualClock();
  const told: number[] = [];
  const pushes = new FirstPushes(
    {
      noteFirst: async (accepted, isAccepted) => {
        if (isAccepted) told.push(accepted.length);
        await noteFirst();
      },
    },
    clock,
  );
  return { clock, told, pushes };
}

describe("accepted first pushes", () => {
  it("are told after 20 ms, those of that time in one call", async () => {
    const { clock, told, pushes } = aScene();
    for (const wakeup of wakeups(3)) pushes.note(wakeup);
    await clock.advance(millis(19));
    expect(told).toEqual([]);
    await clock.advance(millis(1));
    expect(told).toEqual([3]);
  });

  it("are told 128 at a time", async () => {
    const { told, pushes } = aScene();
    const [first, ...others] = wakeups(200);
    if (first !== undefined) pushes.note(first);
    for (const wakeup of others) pushes.note(wakeup);
    await pushes.close();
    expect(told).toEqual([128, 72]);
  });

  it("are told when the worker stops", async () => {
    const { told, pushes } = aScene();
    for (const wakeup of wakeups(2)) pushes.note(wakeup);
    await pushes.close();
    expect(told).toEqual([2]);
  });

  it("are forgotten if Redis is away, and later ones are told", async () => {
    let isAway = true;
    const { clock, told, pushes } = aScene(async () => {
      if (isAway) throw new Error("away");
      await Promise.resolve();
    });
    for (const wakeup of wakeups(1)) pushes.note(wakeup);
    await clock.advance(millis(20));
    await setImmediate();
    isAway = false;
    for (const wakeup of wakeups(2)) pushes.note(wakeup);
    await clock.advance(millis(20));
    expect(told).toEqual([1, 2]);
  });
});
