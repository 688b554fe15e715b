import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const document = readFileSync(join(root, "docs/privacy.md"), "utf8");
const promises = (document.split("## What holds")[1] ?? "").split("\n## ")[0] ?? "";

/** A sentence with the test that holds it. */
const sentences = promises.split(/\n- /).slice(1);
const TEST = /\n {2}Test: `([^`]+)`, "([^"]+)"$/;

describe("docs/privacy.md", () => {
  it("has a test beside every sentence of what holds", () => {
    expect(sentences.length).toBeGreaterThan(15);
    expect(sentences.filter((sentence) => !TEST.test(sentence.trimEnd()))).toEqual([]);
  });

  it.each(
    sentences
      .map((sentence) => TEST.exec(sentence.trimEnd()))
      .map((found) => [found?.[2] ?? "", found?.[1] ?? ""]),
  )('names a test that exists: "%s"', (title, file) => {
    expect(readFileSync(join(root, file), "utf8")).toContain(`("${title}"`);
  });
});
