import { ManualClock } from "@reveille/testkit";
import { type Outcome, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { APNS } from "../apns/profile.ts";
import { aPush, fakeWires } from "../testing/a-fake-wire.ts";
import { Pool } from "./pool.ts";

describe("a pool", () => {
  it("that has shut down sends nothing again, not even what was provably not processed", async () => {
    const clock = new ManualClock();
    const outcomes: Outcome[] = [];
    const { openWire, opened, requests } = fakeWires((mine) => {
      for (const { settle } of mine) settle({ kind: "unprocessed", because: "refused" });
    });
    const pool = new Pool({
      name: "x",
      openWire,
      newHold: undefined,
      profile: APNS,
      clock,
      observe: () => undefined,
      random: () => 0,
    });
    for (const { settings } of opened) settings(10);
    pool.send({ ...aPush, settle: (outcome) => void outcomes.push(outcome) });
    const closed = pool[Symbol.asyncDispose]();
    await clock.advance(seconds(22));
    await closed;
    expect(requests).toHaveLength(1);
    expect(outcomes).toEqual([{ kind: "unreachable", reason: "refused" }]);
  });
});
