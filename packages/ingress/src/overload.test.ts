import { describe, expect, it } from "vitest";

import { judge, overload } from "./fixtures/overload.ts";

/** `test/durability/overload.test.ts` is the same for a minute. */
describe("an ingress under twice the load that it can bear", () => {
  it("answers each publish, keeps what it accepts, and needs no more memory the longer it lasts", async () => {
    await expect(overload(6_000).then(judge)).resolves.toBeUndefined();
  });
});
