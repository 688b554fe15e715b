import { setImmediate } from "node:timers/promises";

import { aWakeup, ManualClock } from "@reveille/testkit";
import { type Millis, millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { pumpTrailing } from "./pump.ts";

/** A pump of a region whose trailing pushes are due at these times. */
function aPump(dueAt: readonly number[]) {
  const clock = new ManualClock();
  const start = clock.monotonic();
  const waiting = [...dueAt];
  const [asked, moved]: [number[], number[]] = [[], []];
  const now = (): number => clock.monotonic() - start;
  const stop = new AbortController();
  const pumping = pumpTrailing(
    {
      trailing: {
        claim: async () => {
          asked.push(now());
          const due = waiting.filter((time) => time <= now());
          const next = waiting[due.length];
          if (due.length === 0 && next !== undefined) {
            return { wakeups: [], more: false, nextDueIn: millis(next - now()), confirm: noop };
          }
          waiting.splice(0, due.length);
          return { wakeups: due.map(() => aWakeup()), more: false, confirm: noop };
        },
        backlog: async () => ({ waiting: waiting.length }),
      },
      queue: { add: async (wakeups) => void moved.push(...wakeups.map(now)) },
      clock,
      observe: () => undefined,
    },
    stop.signal,
  );
  return {
    asked,
    moved,
    pass: async (duration: Millis) => {
      for (let passed = 0; passed < duration; passed += 10) {
        await setImmediate();
        await clock.advance(millis(10));
      }
      await setImmediate();
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await clock.advance(seconds(1));
      await pumping;
    },
  };
}

const noop = async (): Promise<void> => Promise.resolve();

describe("the pump of trailing pushes", () => {
  it("asks twice a second while none waits", async () => {
    await using pump = aPump([]);
    await pump.pass(millis(1_900));
    expect(pump.asked).toEqual([0, 500, 1_000, 1_500]);
  });

  it("moves one when it is due, and those of the next 100 ms together", async () => {
    await using pump = aPump([730, 740, 790, 1_900]);
    await pump.pass(seconds(2));
    expect(pump.moved).toEqual([730, 830, 830, 1_900]);
  });
});
