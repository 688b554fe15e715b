import { aRegion, aRegionSecret, ManualClock, heapUsed } from "@reveille/testkit";
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

  // Seen to fail with the name as it came: 100 MB.
  it("keep nothing of a publish but the name of its domain", () => {
    const { buckets } = someBuckets();
    const before = heapUsed();
    for (let domain = 0; domain < 100; domain += 1) {
      const publish = `${"x".repeat(1_000_000)}flood-${domain}.example`;
      buckets.draws({ name: publish.slice(1_000_000), limit: { perSecond: 1, burst: 1 } });
    }
    expect(heapUsed() - before).toBeLessThan(5_000_000);
  });
});
