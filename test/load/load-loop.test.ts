import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { millis } from "@reveille/wakeup";
import { ManualClock } from "@reveille/testkit";

import { Histogram } from "./histogram.ts";
import { ACCEPTED, dueAfter, dueTimeOf, type Load, LoadLoop } from "./load-loop.ts";

function aLoop(load: Load) {
  const clock = new ManualClock();
  const sent: number[] = [];
  const send = (first: number, count: number): void => {
    for (let index = first; index < first + count; index += 1) sent.push(index);
  };
  const loop = new LoadLoop({ load, clock, send });
  const answer = (index: number): void => loop.answered(index, ACCEPTED, clock.monotonic());
  return { clock, sent, loop, answer };
}

describe("a closed loop", () => {
  it("keeps the wanted number in flight", () => {
    const { sent, loop, answer } = aLoop({ mode: "saturation", inFlight: 3 });
    expect(sent).toEqual([0, 1, 2]);
    answer(1);
    answer(0);
    loop.pump();
    expect(sent).toEqual([0, 1, 2, 3, 4]);
    expect(loop.inFlight).toBe(3);
  });

  it("waits for the far end once it hears of it", () => {
    const { sent, loop, answer } = aLoop({ mode: "saturation", inFlight: 4_000 });
    loop.arrived(0);
    for (let index = 0; index < 4_000; index += 1) answer(index);
    loop.pump();
    expect(sent).toHaveLength(4_000);
    loop.arrived(3_999);
    expect(sent).toHaveLength(8_000);
  });

  it("sends nothing after its stop, but counts the answers", () => {
    const { sent, loop, answer } = aLoop({ mode: "saturation", inFlight: 2 });
    loop.stop();
    answer(0);
    loop.pump();
    expect(sent).toHaveLength(2);
    expect(loop.mark().answers).toEqual({ accepted: 1 });
  });

  it("refuses a second answer and one to a wakeup that was never sent", () => {
    const { answer } = aLoop({ mode: "saturation", inFlight: 2 });
    answer(0);
    expect(() => answer(0)).toThrow("not in flight");
    expect(() => answer(2)).toThrow("not in flight");
  });
});

describe("an open loop", () => {
  it("sends what is due, whether answers come or not", async () => {
    const { clock, sent } = aLoop({ mode: "rate", rate: 2_000 });
    await clock.advance(millis(10));
    expect(sent).toHaveLength(20);
  });

  it("measures from the time a wakeup should have left, not from when it left", async () => {
    let now = 0;
    const late = Promise.withResolvers<undefined>();
    const clock = { monotonic: () => millis(now), sleep: () => late.promise };
    const sent: number[] = [];
    const loop = new LoadLoop({
      load: { mode: "rate", rate: 1_000 },
      clock,
      send: (_, count) => sent.push(count),
    });
    now = 100;
    loop.pump();
    expect(sent).toEqual([100]);
    for (let index = 0; index < 100; index += 1) loop.answered(index, ACCEPTED, now);
    const latencies = new Histogram(loop.mark().latencies);
    expect(latencies.percentile(1)).toBeCloseTo(99, 0);
    expect(latencies.percentile(0.5)).toBeCloseTo(49, 0);
    loop.stop();
    late.resolve(undefined);
  });

  it("stops at 10,000 in flight, and sends the rest late rather than never", async () => {
    const { clock, sent, loop, answer } = aLoop({ mode: "rate", rate: 100_000 });
    await clock.advance(millis(200));
    expect(sent).toHaveLength(10_000);
    for (let index = 0; index < 10_000; index += 1) answer(index);
    loop.pump();
    expect(sent).toHaveLength(20_000);
    for (let index = 10_000; index < 20_000; index += 1) answer(index);
    expect(new Histogram(loop.mark().latencies).percentile(0.5)).toBeCloseTo(100, -1);
  });

  it("keeps a journal of what was accepted, and of when it should have left", async () => {
    const { clock, loop } = aLoop({ mode: "rate", rate: 1_000 });
    await clock.advance(millis(3));
    loop.answered(1, ACCEPTED, clock.monotonic());
    loop.answered(2, "error", clock.monotonic());
    const journal = loop.journal(5_000);
    expect([...journal.intended]).toEqual([5_001, 5_002, 5_003]);
    expect([...journal.accepted]).toEqual([0, 1, 0]);
  });

  it("has every wakeup due at the first step that counts it", () => {
    const rates = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 1_000_000 }), (rate, index) => {
        const due = dueTimeOf(rate, index);
        expect(dueAfter(rate, due)).toBeGreaterThan(index);
        expect(dueAfter(rate, due - 1)).toBeLessThanOrEqual(index);
      }),
    );
  });
});
