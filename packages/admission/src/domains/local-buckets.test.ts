import { aRegion, aRegionSecret, ManualClock } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { LocalBuckets } from "./local-buckets.ts";

function someBuckets() {
  const clock = new ManualClock();
  return { clock, buckets: new LocalBuckets({ clock, region: aRegion(), secret: aRegionSecret() }) };
}

const flood = (perSecond: number, burst: number) => ({ name: "flood.example", limit: { perSecond, burst } });

describe("the buckets of one process", () => {
  it("go on counting though the limit is told anew each time", async () => {
    const { buckets, clock } = someBuckets();
    expect([1, 2, 3, 4].map(() => buckets.draws(flood(1, 2)))).toEqual([true, true, false, false]);
    await clock.advance(seconds(1));
    expect([1, 2].map(() => buckets.draws(flood(1, 2)))).toEqual([true, false]);
  });

  it("begin again with another limit, under another key", () => {
    const { buckets } = someBuckets();
    const before = buckets.sharedBy(flood(1, 1)).key;
    expect([1, 2].map(() => buckets.draws(flood(1, 1)))).toEqual([true, false]);
    expect(buckets.draws(flood(1, 2))).toBe(true);
    expect(buckets.sharedBy(flood(1, 2)).key).not.toBe(before);
    expect(buckets.draws(flood(2, 2))).toBe(true);
  });
});
