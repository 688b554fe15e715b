import { describe, expect, it } from "vitest";

import { jsonOf, tableOf } from "./report.ts";
import { aResult } from "./result.fixture.ts";

describe("the report", () => {
  it("is one JSON array whose numbers have two decimals", () => {
    const parsed: unknown = JSON.parse(jsonOf([aResult(), aResult({ stage: "delivery" })]));
    expect(parsed).toMatchObject([
      { stage: "ingress", wakeupsPerSecond: 4999.99, cpuMicrosByProcess: { ingress: 12.35 }, p50Ms: 0.5 },
      { stage: "delivery" },
    ]);
  });

  it("is a table for people, and says who shared the cores", () => {
    const [head = "", , row = "", , ...usage] = tableOf([aResult()]).split("\n");
    expect(head.indexOf("wakeups/s")).toBe(row.indexOf("5000") - "wakeups/s".length + "5000".length);
    expect(row).toContain("saturation, 500 in flight, apns nginx");
    expect(usage.join("\n")).toContain("sender 1.5 · ingress 12.3");
    expect(usage.join("\n")).toContain("1.25 of 2 cores busy, 0.50 by others: disturbed");
    expect(usage.join("\n")).toContain("lost 0");
  });

  it("says when an open loop was overtaken", () => {
    const { conditions } = aResult();
    const result = (wakeupsPerSecond: number) =>
      aResult({ wakeupsPerSecond, conditions: { ...conditions, mode: "rate", rate: 5_000 } });
    expect(tableOf([result(4_899)])).toContain("only 4899 of 5000/s");
    expect(tableOf([result(4_901)])).not.toContain("not sustained");
  });

  it("is an empty array when nothing could be measured", () => {
    expect(jsonOf([])).toBe("[]\n");
  });
});
