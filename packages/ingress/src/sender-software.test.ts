import { describe, expect, it } from "vitest";

import { serverFixtures } from "./fixtures/index.ts";
import { senderSoftwareOf } from "./sender-software.ts";

describe("the software of a sender", () => {
  const known = serverFixtures.filter(({ name }) => !name.startsWith("Snikket"));

  it.each(known.map(({ name, expected }) => [name, expected.id] as const))(
    "is told from the id: %s",
    (name, id) => {
      expect(name.toLowerCase()).toContain(senderSoftwareOf(id));
    },
  );

  it.each(["", "1", "x43", "a".repeat(1_000)])("is other for %s", (id) => {
    expect(senderSoftwareOf(id)).toBe("other");
  });
});
