import { millis } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatDuration, parseDuration } from "./duration.ts";

describe("a duration", () => {
  it.each([
    ["500ms", 500],
    ["20s", 20_000],
    ["5m", 300_000],
    ["1.5h", 5_400_000],
    ["28d", 2_419_200_000],
    ["0s", 0],
  ])("written %s", (text, duration) => {
    expect(parseDuration(text)).toBe(duration);
  });

  it.each(["20", "", "s", "-1s", "1 s", "1w", "1e3s", "0x10s", "1s\n", "999999999d", "toString"])(
    "is not %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("is written in the greatest unit that fits", () => {
    expect([0, 1, 1_500, 60_000, 5_400_000, 86_400_000].map((each) => formatDuration(millis(each)))).toEqual([
      "0ms",
      "1ms",
      "1500ms",
      "1m",
      "90m",
      "1d",
    ]);
  });

  it("written and read is the same", () => {
    const isSame = (duration: number): boolean =>
      parseDuration(formatDuration(millis(duration))) === duration;
    expect(() => fc.assert(fc.property(fc.nat({ max: 36_525 * 86_400_000 }), isSame))).not.toThrow();
  });
});
