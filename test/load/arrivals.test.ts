import { describe, expect, it } from "vitest";

import { ArrivalLog, checkArrivals } from "./arrivals.ts";

const journal = { intended: Float64Array.of(100, 110, 120, 130), accepted: Uint8Array.of(1, 0, 1, 1) };
const always = { from: 0, to: 1_000 };

function arrivalsOf(...notes: readonly (readonly [number, number])[]) {
  const log = new ArrivalLog();
  for (const [index, at] of notes) log.note(index, at);
  return log.arrivals;
}

describe("the arrivals", () => {
  it("miss a wakeup that was accepted, and not one that was refused", () => {
    const { lost, details } = checkArrivals(journal, arrivalsOf([0, 101], [3, 140]), always);
    expect(lost).toBe(1);
    expect(details).toEqual({ lost: 1, duplicates: 0, unknown: 0 });
  });

  it("count a second push for a wakeup and one that nobody asked for, which hide no loss", () => {
    const { lost, details } = checkArrivals(
      journal,
      arrivalsOf([0, 101], [0, 102], [2, 130], [77, 140]),
      always,
    );
    expect(lost).toBe(1);
    expect(details).toEqual({ lost: 1, duplicates: 1, unknown: 1 });
  });

  it("take as long as from the time a wakeup was due in the window to its first push", () => {
    const arrivals = arrivalsOf([0, 199], [2, 125], [2, 190], [3, 137]);
    const { latencies } = checkArrivals(journal, arrivals, { from: 110, to: 131 });
    expect(latencies.size).toBe(2);
    expect(latencies.percentile(0.5)).toBeCloseTo(5, 1);
    expect(latencies.percentile(1)).toBeCloseTo(7, 1);
  });

  it("miss everything when nothing came", () => {
    expect(checkArrivals(journal, arrivalsOf(), always).lost).toBe(3);
  });

  it("are kept for as many wakeups as there are", () => {
    const log = new ArrivalLog();
    for (const index of [0, 70_000, 1_000_000]) log.note(index, 5);
    expect(log.count).toBe(3);
    expect([70_000, 1_000_000, 1_000_001].map((index) => log.arrivals.first[index])).toEqual([
      5,
      5,
      Number.NaN,
    ]);
  });
});
