import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseReport } from "./parse-report.ts";

const report = { role: "worker", pid: 1, version: "1", startedAt: 1, parts: [], metrics: [] };
const read = (parts: object) => parseReport(JSON.stringify({ ...report, ...parts }));

describe("a report", () => {
  it("is read as it was told", () => {
    const values = [{ value: 1, labels: { module: "m", le: 0.5 }, metricName: "h_bucket" }];
    const metrics = [{ name: "h", help: "", type: "histogram", aggregator: "sum", values }];
    const parts = [
      { part: "redis", health: { kind: "failing", because: "away" } },
      { part: "queue", health: { kind: "failing", because: "hangs", stuck: true } },
    ];
    expect(read({ parts, metrics })).toEqual({ ...report, parts, metrics });
  });

  it.each([
    ["of another role", { role: "nightingale" }],
    ["without process id", { pid: undefined }],
    ["without parts", { parts: null }],
    ["without metrics", { metrics: {} }],
  ])("%s is none", (_what, parts) => {
    expect(read(parts)).toBeUndefined();
  });

  it("calls no part ready whose state it does not know", () => {
    expect(read({ parts: [{ part: "redis", health: { kind: "splendid" } }] })?.parts).toEqual([
      { part: "redis", health: { kind: "failing", because: "state splendid" } },
    ]);
  });

  it("leaves out what would break the text for Prometheus", () => {
    const family = { name: "a", help: "", type: "gauge", aggregator: "sum", values: [] };
    const metrics = [
      { ...family, name: "a b" },
      {
        ...family,
        values: [
          { value: null, labels: {} },
          { value: 1, labels: { "a b": "c", ok: "d" } },
        ],
      },
    ];
    expect(read({ metrics })?.metrics).toEqual([{ ...family, values: [{ value: 1, labels: { ok: "d" } }] }]);
  });

  it("is read or refused from any text, never with an exception", () => {
    const shaped = fc.record({
      role: fc.constant("worker"),
      pid: fc.nat(),
      version: fc.string(),
      startedAt: fc.nat(),
    });
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(shaped, fc.array(fc.jsonValue()), fc.array(fc.jsonValue()))
        .map(([head, parts, metrics]) => JSON.stringify({ ...head, parts, metrics })),
    );
    const isJudged = (text: string): boolean => ["undefined", "object"].includes(typeof parseReport(text));
    expect(() => fc.assert(fc.property(anything, isJudged))).not.toThrow();
  });
});
