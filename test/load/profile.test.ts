import { describe, expect, it } from "vitest";

import { framesOf } from "./profile.ts";

const node = (id: number, functionName: string, url = "") => ({
  id,
  callFrame: { functionName, url, lineNumber: 6 },
});

describe("a CPU profile", () => {
  it("gives each function the time it was on top, idle time and what lies outside the span left out", () => {
    const profile = {
      nodes: [
        node(1, "(idle)"),
        node(2, "parse", "file:///somewhere/parse.ts"),
        node(3, "parse", "file:///somewhere/parse.ts"),
        node(4, "write"),
      ],
      startTime: 10_000,
      samples: [4, 1, 2, 3, 4, 4],
      timeDeltas: [100, 1_000, 300, 200, 400, 700],
    };
    const span = { from: 10_101, to: 12_100 };
    expect(framesOf(profile, span)).toMatchObject([
      { name: "parse", micros: 500 },
      { name: "write", micros: 400 },
    ]);
    expect(framesOf(profile, span)[0]?.where).toMatch(/somewhere\/parse\.ts:7$/);
  });

  it("is refused when it is none", () => {
    expect(() => framesOf({}, { from: 0, to: 1 })).toThrow("no CPU profile");
  });
});
