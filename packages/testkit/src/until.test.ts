import { describe, expect, it } from "vitest";

import { until, within } from "./until.ts";

describe("waiting with an end", () => {
  it("gives what comes", async () => {
    let looks = 0;
    const third = (): number | undefined => ((looks += 1) === 3 ? looks : undefined);
    expect(await until(third, { what: "the third look", withinMs: 1_000 })).toBe(3);
    expect(await within(Promise.resolve("done"), { what: "the work", withinMs: 1_000 })).toBe("done");
  });

  it("says what did not come, and where to look", async () => {
    const patience = { what: "the reply", withinMs: 10, logFile: "ingress.log" };
    const message = "the reply did not come within 0.01 s; see ingress.log";
    await expect(until(() => undefined, patience)).rejects.toThrow(message);
    await expect(within(new Promise(() => undefined), patience)).rejects.toThrow(message);
  });

  it("hands on the failure of what it waits for", async () => {
    await expect(
      within(Promise.reject(new Error("refused")), { what: "it", withinMs: 1_000 }),
    ).rejects.toThrow("refused");
  });
});
