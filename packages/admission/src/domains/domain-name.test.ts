import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { lookupForm, parseDomainName, parseDomainPattern } from "./domain-name.ts";

describe("a sending domain", () => {
  it.each([
    ["example.org", "example.org"],
    ["Example.ORG", "example.org"],
    ["example.org.", "example.org"],
    ["localhost", "localhost"],
    ["exämple.org", "exämple.org"],
    ["xn--exmple-cua.org", "exämple.org"],
    ["conference_1.example.org", "conference_1.example.org"],
  ])("typed %j is %j", (typed, name) => {
    expect(parseDomainName(typed)).toBe(name);
  });

  it.each(["", ".", "a..b", "a b", "user@example.org", "example.org/x", "*.example.org", "\u001B[31m.org"])(
    "is not %j",
    (typed) => {
      expect(parseDomainName(typed)).toBeUndefined();
    },
  );

  it("is never anything that a terminal would obey, and never an exception", () => {
    const isHarmless = (text: string): boolean => !/\p{C}/u.test(parseDomainPattern(text) ?? "");
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }).map((end) => `a${end}.org`),
    );
    expect(() => fc.assert(fc.property(text, isHarmless))).not.toThrow();
  });

  it.each([
    [
      "exämple.org",
      ["EXÄMPLE.org", "xn--exmple-cua.org", "XN--EXMPLE-CUA.ORG", "exa\u0308mple.org", "exämple.org."],
    ],
    ["example.org", ["Example.ORG", "example.org.", "ｅxample.org"]],
    ["a_b-1.example", ["a_b-1.example", "A_B-1.example."]],
  ])("%j is found by its rule, however its server writes it", (typed, spellings) => {
    for (const written of spellings) expect(lookupForm(written)).toBe(parseDomainName(typed));
  });

  it("is looked up by something, also if it is none", () => {
    for (const written of ["", ".", "[::1]", "a..b", "A B", "xn--", "xn--a.xn--"]) {
      expect(lookupForm(written)).toBe(lookupForm(written.toUpperCase()));
    }
  });
});

describe("a pattern", () => {
  it("is a domain, or all domains below one", () => {
    expect(parseDomainPattern("Example.org")).toBe("example.org");
    expect(parseDomainPattern("*.Example.org")).toBe("*.example.org");
  });

  it.each(["*", "*.", "a.*.org", "**.example.org", "*example.org"])("is not %j", (typed) => {
    expect(parseDomainPattern(typed)).toBeUndefined();
  });
});
