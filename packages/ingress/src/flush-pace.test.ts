import { ManualClock } from "@reveille/testkit";
import { millis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { FlushPace } from "./flush-pace.ts";

function aPace() {
  const clock = new ManualClock();
  const pace = new FlushPace(clock, millis(2));
  const begun: number[] = [];
  const begin = async ({ isFull = false } = {}): Promise<void> => {
    await pace.next(isFull);
    begun.push(clock.monotonic());
  };
  return { clock, pace, begun, begin };
}

describe("the pace of flushes", () => {
  it("lets the first one begin at once, also after a pause", async () => {
    const { clock, begun, begin } = aPace();
    await begin();
    await clock.advance(millis(50));
    await begin();
    expect(begun).toEqual([0, 50]);
  });

  it("keeps the beginnings of two flushes apart, however long the first one takes", async () => {
    const { clock, begun, begin } = aPace();
    await begin();
    await clock.advance(millis(1));
    const second = begin();
    await clock.advance(millis(1));
    await second;
    await clock.advance(millis(2));
    await begin();
    expect(begun).toEqual([0, 2, 4]);
  });

  it("does not wait for less than a timer can", async () => {
    const { clock, begun, begin } = aPace();
    await begin();
    await clock.advance(millis(1.6));
    await begin();
    expect(begun).toEqual([0, 1.6]);
  });

  it("does not keep a full one waiting", async () => {
    const { begun, begin } = aPace();
    await begin();
    await begin({ isFull: true });
    expect(begun).toEqual([0, 0]);
  });

  it("begins at once when told to hurry, and is back at its pace after", async () => {
    const { clock, pace, begun, begin } = aPace();
    pace.hurry();
    await begin();
    const second = begin();
    pace.hurry();
    await second;
    const third = begin();
    await clock.advance(millis(2));
    await third;
    expect(begun).toEqual([0, 0, 2]);
  });
});
