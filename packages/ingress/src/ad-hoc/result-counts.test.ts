import { type Counted } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { COLUMNS, ResultCounts, WIDTH } from "./result-counts.ts";

describe("what is counted of a domain", () => {
  it("has a place of its own for each kind, and no place is empty", () => {
    const places = Object.values(COLUMNS).toSorted((one, other) => one - other);
    expect(places).toEqual(Array.from({ length: WIDTH }, (_none, index) => index));
  });

  it("is told apart: counting one kind shows that kind alone", () => {
    const kinds = Object.keys(COLUMNS).filter((name): name is Counted => name in COLUMNS);
    for (const kind of kinds) {
      const counts = new ResultCounts();
      counts.add(kind);
      expect([...counts.toMap()]).toEqual([[kind, 1]]);
    }
  });
});
