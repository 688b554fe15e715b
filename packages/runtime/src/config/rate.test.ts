import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatRate, parseRate } from "./rate.ts";

describe("a rate", () => {
  it.each([
    ["100/s", 100],
    ["30/m", 0.5],
    ["3600/h", 1],
  ])("written %s", (text, perSecond) => {
    expect(parseRate(text)).toBe(perSecond);
  });

  it.each(["100", "100/d", "1.5/s", "0/s", "-1/s", "/s", "1/s\n", ""])("is not %j", (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  it("written and read is the same", () => {
    const rate = fc.tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.constantFrom("s", "m", "h"));
    const isSame = ([amount, unit]: [number, string]): boolean => {
      const perSecond = parseRate(`${amount}/${unit}`);
      return perSecond !== undefined && parseRate(formatRate(perSecond)) === perSecond;
    };
    expect(() => fc.assert(fc.property(rate, isSame))).not.toThrow();
  });
});
