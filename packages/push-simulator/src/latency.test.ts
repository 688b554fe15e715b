import { describe, expect, it } from "vitest";

import { type Latency, sampleLatency } from "./latency.ts";
import { seededRandom } from "./random.ts";

const samples = (latency: Latency): number[] => {
  const random = seededRandom(1);
  return Array.from({ length: 20_000 }, () => sampleLatency(latency, random)).toSorted((a, b) => a - b);
};

describe("a latency", () => {
  it("that is uniform fills its range evenly", () => {
    const all = samples({ kind: "uniform", from: 20, to: 80 });
    expect(all[0]).toBeGreaterThanOrEqual(20);
    expect(all.at(-1)).toBeLessThan(80);
    expect(all[10_000]).toBeCloseTo(50, -0.5);
  });

  it("that is log-normal has the median asked for, and a long tail", () => {
    const all = samples({ kind: "log-normal", median: 60, sigma: 0.5 });
    expect((all[10_000] ?? 0) / 60).toBeCloseTo(1, 1);
    expect((all[19_800] ?? 0) / 60).toBeCloseTo(3.2, 0);
    expect(all[0]).toBeGreaterThan(0);
  });
});

describe("seeded chance", () => {
  it("repeats with its seed and differs with another", () => {
    const run = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [random.next(), random.normal(), random.next()];
    };
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  it("makes version 4 UUIDs", () => {
    expect(seededRandom(1).uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
