import { describe, expect, it } from "vitest";

import { perSecond } from "./reading.ts";

describe("a rate", () => {
  it("is taken over the time between the two counts, however late each was read", () => {
    expect(perSecond({ at: 1_000, value: 500 }, { at: 3_500, value: 13_000 })).toBe(5_000);
  });
});
