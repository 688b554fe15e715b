import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { reasonOf } from "./reason-of.ts";

describe("the reason of an error", () => {
  it.each<[string, unknown, string]>([
    [
      "names its causes",
      new Error("no Redis", { cause: new Error("ECONNREFUSED") }),
      "no Redis: ECONNREFUSED",
    ],
    [
      "says nothing twice",
      new Error("key a.p8 is empty", { cause: new Error("is empty") }),
      "key a.p8 is empty",
    ],
    [
      "leaves out that it was aborted",
      new Error("late", { cause: new DOMException("stop", "AbortError") }),
      "late",
    ],
    ["is the text of what is no error", "just so", "just so"],
  ])("%s", (_what, error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it("names a file once, however often the system does", async () => {
    const cause = await readFile("/nowhere/a.p8").catch((error: unknown) => error);
    const error = new Error("cannot read /nowhere/a.p8: there is no such file", { cause });
    expect(reasonOf(error)).toBe("cannot read /nowhere/a.p8: there is no such file (ENOENT)");
  });
});
