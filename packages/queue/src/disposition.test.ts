import { aToken, aWakeup } from "@reveille/testkit";
import { millis, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Disposition, settleBatch } from "./disposition.ts";

const queued = (seed: number) => ({
  wakeup: aWakeup({ token: aToken(seed) }),
  attempt: 1,
  again: false,
  overtakes: false,
});

const disposition: fc.Arbitrary<Disposition> = fc.oneof(
  fc.constant({ kind: "done" } as const),
  fc.constant({ kind: "give-up", reason: "BadMessage" } as const),
  fc
    .double({ min: 0, max: 3_600_000, noNaN: true })
    .map((after) => ({ kind: "retry", after: millis(after) }) as const),
  fc.constant({ kind: "retry", after: millis(100), tried: false } as const),
);

describe("the settlement of a batch", () => {
  // Fails when a wakeup joins a group whatever its delay, and when `again` groups drop their last wakeup.
  it("tries each unfinished wakeup once more, not before its time and at most a third later", () => {
    const holds = (dispositions: readonly Disposition[]): void => {
      const batch = dispositions.map((_none, seed) => queued(seed));
      const { done, givenUp, retried, groups } = settleBatch(batch, dispositions, seconds(5));
      expect(done + givenUp + retried).toBe(batch.length);
      const again = groups.flatMap(({ after, wakeups }) => wakeups.map((entry) => ({ after, entry })));
      expect(again).toHaveLength(retried);
      for (const [index, asked] of dispositions.entries()) {
        const found = again.filter(({ entry }) => entry.wakeup === batch[index]?.wakeup);
        expect(found).toHaveLength(asked.kind === "retry" ? 1 : 0);
        if (asked.kind !== "retry") continue;
        expect(found[0]?.after).toBeGreaterThanOrEqual(asked.after);
        expect(found[0]?.after).toBeLessThanOrEqual(asked.after / 0.75 + 1);
        expect(found[0]?.after).toSatisfy(Number.isInteger);
        expect(found[0]?.entry.attempt).toBe(asked.tried === false ? 1 : 2);
      }
    };
    fc.assert(fc.property(fc.array(disposition, { maxLength: 128 }), holds));
  });

  it("leaves the largest group to the job itself", () => {
    const after = [5, 60, 60].map((delay) => ({ kind: "retry", after: seconds(delay) }) as const);
    const { groups } = settleBatch([queued(1), queued(2), queued(3)], after, seconds(5));
    expect(groups.map(({ wakeups }) => wakeups.length)).toEqual([2, 1]);
  });

  it("tries a wakeup again that got no disposition", () => {
    const { groups } = settleBatch([queued(1), queued(2)], [{ kind: "done" }], seconds(5));
    expect(groups).toEqual([{ after: 5_000, wakeups: [{ ...queued(2), attempt: 2 }] }]);
  });
});
