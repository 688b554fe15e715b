import { describe, expect, it } from "vitest";

import { Buckets } from "./throttle.ts";

const throttle = { burst: 2, refillMs: 1_000 };

const takenAt = (...times: readonly number[]): number => {
  const buckets = new Buckets();
  return times.filter((now) => buckets.take("token", throttle, now)).length;
};

describe("the bucket of a device", () => {
  it("never holds more than a burst", () => {
    expect(takenAt(0, 3_600_000, 3_600_000, 3_600_000)).toBe(3);
  });

  it("loses nothing when the clock steps back", () => {
    expect(takenAt(10_000, 0)).toBe(2);
  });
});
