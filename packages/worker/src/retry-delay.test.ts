import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { retryDelay } from "./retry-delay.ts";

describe("the pause before another attempt", () => {
  it.each([
    [1, 1_000],
    [2, 4_000],
    [3, 16_000],
    [4, 60_000],
    [5, 60_000],
    [1_000, 60_000],
  ])("after attempt %i is at most %i ms", (attempt, longest) => {
    expect(retryDelay(attempt, 0)).toBe(longest);
  });

  it("is shortened by at most a fifth", () => {
    const chances = fc.double({ min: 0, max: 1, noNaN: true });
    const near = (attempt: number, chance: number): boolean => {
      const full = retryDelay(attempt, 0);
      const delay = retryDelay(attempt, chance);
      return delay <= full && delay >= full * 0.8;
    };
    expect(() => fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), chances, near))).not.toThrow();
  });
});
