import { type SettledPush } from "@reveille/admission";
import { aToken, aWakeup } from "@reveille/testkit";
import { epochMillis, type PushEvent } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { Settlements } from "./settlements.ts";

const push = (seed: number): SettledPush => ({
  wakeup: aWakeup({ token: aToken(seed) }),
  clearedAt: epochMillis(seed),
  accepted: true,
});

describe("the settlements of pushes", () => {
  it("are told one call at a time, each with all that came during the one before", async () => {
    const calls: { readonly pushes: readonly SettledPush[]; readonly answer: PromiseWithResolvers<void> }[] =
      [];
    const settle = async (pushes: readonly SettledPush[]): Promise<void> => {
      const answer = Promise.withResolvers<void>();
      calls.push({ pushes, answer });
      return answer.promise;
    };
    const settlements = new Settlements({ settle }, () => undefined);
    const told: number[] = [];
    const note = async (seed: number): Promise<void> => {
      await settlements.note(push(seed));
      told.push(seed);
    };
    void note(1);
    void note(2);
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    void note(3);
    void note(4);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toHaveLength(1);
    expect(told).toEqual([]);
    calls[0]?.answer.resolve();
    await vi.waitFor(() => expect(calls).toHaveLength(2));
    expect(told).toEqual([1, 2]);
    calls[1]?.answer.resolve();
    await vi.waitFor(() => expect(told).toEqual([1, 2, 3, 4]));
    expect(calls.map(({ pushes }) => pushes.length)).toEqual([2, 2]);
  });

  it("go on after Redis was away", async () => {
    const events: PushEvent[] = [];
    let isAway = true;
    const settle = async (): Promise<void> => {
      if (isAway) throw new Error("Connection is closed.");
    };
    const settlements = new Settlements({ settle }, (event) => void events.push(event));
    await settlements.note(push(1));
    isAway = false;
    await settlements.note(push(2));
    expect(events).toEqual([{ kind: "batch-failed", because: "Connection is closed." }]);
  });
});
