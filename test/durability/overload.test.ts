import { describe, expect, it } from "vitest";

import { judge, overload } from "../../packages/ingress/src/fixtures/overload.ts";

describe("an ingress under twice the load that it can bear, for a minute", () => {
  it("answers each publish, keeps what it accepts, and needs no more memory the longer it lasts", async () => {
    await expect(overload(60_000).then(judge)).resolves.toBeUndefined();
  });
});
