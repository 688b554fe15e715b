import { describe, expect, it } from "vitest";

import { parseOptions } from "./options.ts";
import { loadOf, type PlannedLoad, withOptions } from "./plan.ts";
import { aResult } from "./result.fixture.ts";

const setUp = async (): Promise<never> => Promise.reject(new Error("not in this test"));

const LOADS: readonly PlannedLoad[] = [
  { mode: "rate", rate: 5_000 },
  { mode: "rate", rate: 20_000 },
  { mode: "saturation", inFlight: 1_000 },
  { mode: "half" },
];

function loadsWith(...args: readonly string[]): PlannedLoad[] {
  const parsed = parseOptions(args);
  if (parsed.kind !== "run") throw new Error("wrong arguments in this test");
  return withOptions(
    LOADS.map((load) => ({ load, setUp })),
    parsed.options,
  ).map(({ load }) => load);
}

describe("the plan of a stage", () => {
  it("stays as it is without options", () => {
    expect(loadsWith()).toEqual(LOADS);
  });

  it("takes a rate in place of its own, once", () => {
    expect(loadsWith("--rate", "700")).toEqual([
      { mode: "rate", rate: 700 },
      { mode: "saturation", inFlight: 1_000 },
    ]);
  });

  it("takes a number in flight in place of its own", () => {
    expect(loadsWith("--in-flight", "3")).toContainEqual({ mode: "saturation", inFlight: 3 });
  });

  it("means by half the half of the last saturation", () => {
    const earlier = [aResult({ wakeupsPerSecond: 1_000 }), aResult({ wakeupsPerSecond: 9_460 })];
    expect(loadOf({ mode: "half" }, earlier)).toEqual({ mode: "rate", rate: 4_700 });
    expect(() => loadOf({ mode: "half" }, [])).toThrow("needs one at saturation");
  });
});
