import { type Disposition, type QueuedWakeup } from "@reveille/queue";
import { aToken, aWakeup } from "@reveille/testkit";
import { epochMillis, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { servedByNewer } from "./stand-in.ts";

const DONE: Disposition = { kind: "done" };
const RETRY: Disposition = { kind: "retry", after: seconds(1) };

const queued = (device: number, receivedAt: number, urgent = true): QueuedWakeup => ({
  wakeup: aWakeup({ token: aToken(device), receivedAt: epochMillis(receivedAt), urgent }),
  attempt: 1,
  again: false,
  overtakes: false,
});

describe("of the wakeups that are tried again", () => {
  it("the newest of a device stands for the others", () => {
    const batch = [queued(1, 10), queued(2, 10), queued(1, 30), queued(1, 20)];
    expect([
      ...servedByNewer(
        batch,
        batch.map(() => RETRY),
      ),
    ]).toEqual([0, 3]);
  });

  it("an urgent one stays beside a newer one that is not", () => {
    const batch = [queued(1, 10, true), queued(1, 30, false)];
    expect([...servedByNewer(batch, [RETRY, RETRY])]).toEqual([]);
  });

  it("none stands for one that is done, or is done itself", () => {
    const batch = [queued(1, 10), queued(1, 20), queued(1, 30)];
    expect([...servedByNewer(batch, [RETRY, DONE, RETRY])]).toEqual([0]);
  });

  it("each that is left out has one that stays, as new and as urgent", () => {
    const one = fc.record({
      device: fc.integer({ min: 1, max: 3 }),
      at: fc.integer({ min: 0, max: 5 }),
      urgent: fc.boolean(),
      retry: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (all) => {
        const batch = all.map(({ device, at, urgent }) => queued(device, at, urgent));
        const dispositions = all.map(({ retry }) => (retry ? RETRY : DONE));
        const served = servedByNewer(batch, dispositions);
        for (const index of served) {
          const left = all[index];
          const stays = all.some(
            ({ device, at, urgent, retry }, other) =>
              !served.has(other) &&
              retry &&
              left !== undefined &&
              device === left.device &&
              at >= left.at &&
              (urgent || !left.urgent),
          );
          expect(stays).toBe(true);
        }
      }),
    );
  });
});
