import { epochMillis, later, millis, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LONGEST_THROTTLE, nextDeparture } from "./departure.ts";
import { decodeState, type DeviceState, encodeState } from "./device-state.ts";

const window = seconds(20);
const now = epochMillis(Date.UTC(2026, 0, 1));
const at = (offset: number) => epochMillis(now + offset);

describe("the next departure of a device", () => {
  it.each<[string, DeviceState, string, number | undefined]>([
    ["nothing is known of", { kind: "unknown" }, "now", undefined],
    ["was woken a window ago", { kind: "granted", at: at(-20_000) }, "now", undefined],
    ["was woken less than a window ago", { kind: "granted", at: at(-19_999) }, "later", 1],
    ["is woken at this moment", { kind: "granted", at: at(0) }, "later", 20_000],
    ["is throttled", { kind: "granted", at: at(60_000) }, "later", 80_000],
    ["waits for a push", { kind: "scheduled", at: at(1), urgent: true }, "merged", undefined],
    ["has a push due at this moment", { kind: "scheduled", at: at(0), urgent: true }, "later", 20_000],
    ["had a push due a while ago", { kind: "scheduled", at: at(-19_999), urgent: true }, "later", 1],
    ["had a push due a window ago", { kind: "scheduled", at: at(-20_000), urgent: true }, "now", undefined],
    [
      "waits for an absurdly late push",
      { kind: "scheduled", at: at(600_001), urgent: true },
      "later",
      20_000,
    ],
    ["is throttled absurdly long", { kind: "granted", at: at(600_001) }, "later", 20_000],
    ["is dead", { kind: "dead", since: at(-1), reason: "refused" }, "dead", undefined],
  ])("that %s", (_what, state, kind, after) => {
    const { verdict } = nextDeparture(state, false, now, window);
    expect(verdict).toEqual(after === undefined ? { kind } : { kind, after });
  });

  it("makes a waiting push urgent by a second entry for the same moment", () => {
    const state = { kind: "scheduled", at: at(5), urgent: false } as const;
    expect(nextDeparture(state, true, now, window)).toEqual({
      verdict: { kind: "merged" },
      state: { ...state, urgent: true },
      schedule: at(5),
    });
  });

  it("lies a throttle and a window ahead at most", () => {
    const offset = fc.oneof(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.constantFrom(599_999, 600_000),
    );
    const bounded = (by: number, scheduled: boolean): boolean => {
      const state: DeviceState = scheduled
        ? { kind: "scheduled", at: at(by), urgent: false }
        : { kind: "granted", at: at(by) };
      const { schedule } = nextDeparture(state, false, now, window);
      return schedule === undefined || schedule <= later(now, millis(LONGEST_THROTTLE + window));
    };
    // Fails when `plausible` is always true.
    fc.assert(fc.property(offset, fc.boolean(), bounded));
    expect(bounded(0, true)).toBe(true);
  });
});

describe("the integer of a device", () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 }).map(epochMillis);
  const state: fc.Arbitrary<Exclude<DeviceState, { kind: "unknown" }>> = fc.oneof(
    fc.record({ kind: fc.constant("granted" as const), at: time }),
    fc.record({ kind: fc.constant("scheduled" as const), at: time, urgent: fc.boolean() }),
    fc.record({
      kind: fc.constant("dead" as const),
      since: time,
      reason: fc.constantFrom("refused" as const, "suspected" as const, "blocked" as const),
    }),
  );

  it("is read back as it was written", () => {
    const readBack = (written: Exclude<DeviceState, { kind: "unknown" }>): void => {
      expect(decodeState(encodeState(written))).toEqual(written);
    };
    fc.assert(fc.property(state, readBack));
    expect(decodeState(null)).toEqual({ kind: "unknown" });
  });

  it("is read from any text without an exception", () => {
    const text = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String));
    expect(() => fc.assert(fc.property(text, (any) => void decodeState(any)))).not.toThrow();
  });
});
