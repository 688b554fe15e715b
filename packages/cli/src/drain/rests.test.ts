import { millis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { Rests } from "./rests.ts";

/** Looks every 2 ms at a stream that passes something at the times told; gives the times at which it was found at rest. */
function restsOf(changes: readonly number[], until: number): readonly number[] {
  const rests = new Rests();
  const looks = Array.from({ length: until / 2 }, (_, index) => index * 2);
  return looks.filter((at) => {
    const bytes = changes.filter((change) => change <= at).length;
    return rests.look("0x1", bytes, { asked: millis(at), told: millis(at) });
  });
}

/** A publish every 40 ms, and its answer 6 ms later. */
const STEADY = Array.from({ length: 50 }, (_, index) => [index * 40, index * 40 + 6]).flat();

describe("a stream", () => {
  it("rests between the answer to a publish and the next one, neither soon after the one nor soon before the other", () => {
    const found = restsOf(STEADY, 2_000).filter((at) => at > 200);
    const firsts = found.filter((at) => !found.includes(at - 2)).map((at) => at % 40);
    expect(firsts).toHaveLength(45);
    expect(Math.min(...firsts)).toBeGreaterThan(6 + 6);
    expect(Math.max(...firsts)).toBeLessThan(40 - 12);
  });

  it("does so again soon after a long pause of its own", () => {
    const paused = STEADY.map((at) => (at < 1_000 ? at : at + 400));
    const found = restsOf(paused, 2_400).filter((at) => at > 1_900);
    expect(found.length).toBeGreaterThan(0);
  });

  it("rests when it passes nothing at all", () => {
    expect(restsOf([], 10)).toEqual([2, 4, 6, 8]);
  });

  it("does not rest while every look finds something new", () => {
    expect(
      restsOf(
        Array.from({ length: 100 }, (_, index) => index),
        100,
      ),
    ).toEqual([]);
  });
});
