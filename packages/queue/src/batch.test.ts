import { aModule, anFcmToken, aToken, aWakeup } from "@reveille/testkit";
import { epochMillis, parseDeviceToken, type Wakeup } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeBatch, encodeBatch } from "./batch.ts";
import { batchIds } from "./batch-id.ts";

const queuedOnce = (wakeup: Wakeup) => ({ wakeup, attempt: 1, again: false, overtakes: false });

const proven: fc.Arbitrary<Wakeup> = fc.record({
  token: fc.oneof(
    fc
      .uint8Array({ minLength: 16, maxLength: 256 })
      .map((bytes) => parseDeviceToken(Buffer.from(bytes).toString("hex")) ?? aToken()),
    fc.nat().map(anFcmToken),
  ),
  module: fc.constantFrom(aModule("a"), aModule("b-1"), aModule("A_2")),
  urgent: fc.boolean(),
  receivedAt: fc.integer({ min: 0, max: 2 ** 45 }).map(epochMillis),
});

const wakeup: fc.Arbitrary<Wakeup> = fc.oneof(
  proven,
  proven.map((one): Wakeup => ({ ...one, unproven: true })),
);

const queued = fc.record({
  wakeup,
  attempt: fc.integer({ min: 1, max: 50 }),
  again: fc.constant(false),
  overtakes: fc.constant(false),
});

describe("the body of a batch", () => {
  it("is read back as it was written, through JSON", () => {
    const readBack = (batch: Parameters<typeof encodeBatch>[0]): void => {
      expect(decodeBatch(JSON.parse(JSON.stringify(encodeBatch(batch))))).toEqual({
        kind: "wakeups",
        queued: batch,
        broken: 0,
      });
    };
    fc.assert(fc.property(fc.array(queued, { minLength: 1, maxLength: 128 }), readBack), { numRuns: 50 });
  });

  it("says that it was put in front of older ones", () => {
    const once = queuedOnce(aWakeup());
    const read = decodeBatch(JSON.parse(JSON.stringify(encodeBatch([once], { overtakes: true }))));
    expect(read).toEqual({ kind: "wakeups", queued: [{ ...once, overtakes: true }], broken: 0 });
  });

  it("is read from any JSON without an exception", () => {
    const body = encodeBatch([queuedOnce(aWakeup()), queuedOnce(aWakeup({ token: aToken(1) }))]);
    const value = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.jsonValue(), fc.constant(null));
    const damaged = fc
      .tuple(fc.constantFrom("v", "m", "t", "w", "b", "n"), value)
      .map(([key, any]) => ({ ...body, [key]: any }));
    const read = (any: unknown): void => void decodeBatch(any);
    expect(() => fc.assert(fc.property(fc.oneof(fc.jsonValue(), damaged), read))).not.toThrow();
  });

  const two = [queuedOnce(aWakeup()), queuedOnce(aWakeup({ token: aToken(1) }))];
  const [, second = ""] = encodeBatch(two).t.split(",");

  it.each([
    ["a missing time", { w: [0, 1] }],
    ["no version", { v: "1" }],
    ["no tokens", { t: 7 }],
  ])("is broken with %s", (_what, part) => {
    expect(decodeBatch({ ...encodeBatch(two), ...part })).toEqual({ kind: "broken" });
  });

  it.each([
    ["a token that is none", { t: `AA,${second}` }],
    ["a module that is none", { m: [two[0]?.wakeup.module, "a b"], w: [2, 0, 1, 0] }],
    ["a module that is not listed", { w: [7, 0, 1, 0] }],
    ["no time", { w: [0, -(2 ** 60), 1, 0] }],
  ])("loses one entry to %s, and not the other", (_what, part) => {
    expect(decodeBatch({ ...encodeBatch(two), ...part })).toEqual({
      kind: "wakeups",
      queued: [two[1]],
      broken: 1,
    });
  });

  it("is known as a newer version's", () => {
    expect(decodeBatch({ v: 2, anything: "else" })).toEqual({ kind: "newer" });
  });

  it("costs less than 60 bytes per wakeup", () => {
    const batch = Array.from({ length: 100 }, (_none, seed) =>
      queuedOnce(aWakeup({ token: aToken(seed), receivedAt: epochMillis(1_800_000_000_000 + seed * 7) })),
    );
    expect(JSON.stringify(encodeBatch(batch)).length / 100).toBeLessThan(60);
  });
});

describe("a batch id", () => {
  it.each(["s1.eu.push.example", "1und1", "häuschen:7", ""])("of the node %j suits BullMQ", (node) => {
    const next = batchIds(node);
    expect(next()).toMatch(/^[A-Za-z][A-Za-z0-9.-]*-[0-9a-f]{10}-1$/);
    expect(next()).toMatch(/-2$/);
  });

  it("is another one after a restart", () => {
    expect(batchIds("s1")()).not.toBe(batchIds("s1")());
  });
});
