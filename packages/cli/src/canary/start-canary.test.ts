import { ManualClock } from "@reveille/testkit";
import { type CanaryEvent, type Millis, millis, minutes, type PushEvent, seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { startCanary } from "./start-canary.ts";

const settled = (ok: boolean): CanaryEvent => ({
  kind: "canary-settled",
  hostname: "eu.push.example",
  ok,
  reply: ok ? "accepted" : "none",
  delivery: "unwatched",
  ...(ok ? {} : { because: "no reply within 30s" }),
});

/** Rounds that take `lasts` and end as `results` say, the last one for ever. */
function aCanary(results: readonly boolean[], lasts: Millis = millis(0)) {
  const clock = new ManualClock();
  const events: PushEvent[] = [];
  const began: Millis[] = [];
  const canary = startCanary({
    every: minutes(1),
    clock,
    observe: (event) => void events.push(event),
    fail: (error) => {
      throw error;
    },
    round: async (signal) => {
      began.push(clock.monotonic());
      await clock.sleep(lasts, signal);
      return [settled(results[began.length - 1] ?? results.at(-1) ?? true)];
    },
  });
  return { canary, clock, events, began, [Symbol.asyncDispose]: () => canary[Symbol.asyncDispose]() };
}

describe("a canary", () => {
  it("begins at once, and again each minute", async () => {
    await using rig = aCanary([true], seconds(1));
    const { canary, clock, events, began } = rig;
    expect(canary.health()).toEqual([{ part: "canary", health: { kind: "starting" } }]);
    await clock.advance(minutes(2));
    expect(began).toEqual([0, minutes(1), minutes(2)]);
    expect(events).toHaveLength(2);
    expect(canary.health()).toEqual([{ part: "canary", health: { kind: "ready" } }]);
  });

  it("counts the minute from the beginning of a round, and never has two at once", async () => {
    await using quick = aCanary([true], seconds(20));
    await quick.clock.advance(minutes(1.5));
    expect(quick.began).toEqual([0, minutes(1)]);
    await using slow = aCanary([true], seconds(90));
    await slow.clock.advance(minutes(3.2));
    expect(slow.began).toEqual([0, seconds(90), seconds(180)]);
  });

  it("says what is wrong for as long as it is", async () => {
    await using rig = aCanary([false, true]);
    const { canary, clock } = rig;
    await clock.advance(seconds(1));
    expect(canary.health()[0]?.health).toEqual({
      kind: "failing",
      because: "eu.push.example: no reply within 30s",
    });
    await clock.advance(minutes(1));
    expect(canary.health()[0]?.health).toEqual({ kind: "ready" });
  });

  it("tells nothing of a round that it gives up when it stops", async () => {
    const { canary, events } = aCanary([true], seconds(20));
    await canary[Symbol.asyncDispose]();
    expect(events).toEqual([]);
    expect(canary.health()[0]?.health).toEqual({ kind: "draining" });
  });

  it("ends its process when a round breaks", async () => {
    const fail = vi.fn<(error: Error) => void>();
    const cause = new Error("a mistake of ours");
    await using canary = startCanary({
      every: minutes(1),
      clock: new ManualClock(),
      observe: () => undefined,
      fail,
      round: () => Promise.reject(cause),
    });
    await vi.waitFor(() => expect(fail).toHaveBeenCalledWith(expect.objectContaining({ cause })));
    expect(canary.health()[0]?.health).toEqual({ kind: "starting" });
  });
});
