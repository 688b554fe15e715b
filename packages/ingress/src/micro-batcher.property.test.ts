import { aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { epochMillis, millis, seconds, type Verdict } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MicroBatcher } from "./micro-batcher.ts";

/** How a call of admission or the queue goes. */
type Mood = "answers" | "fails" | "hangs" | "answers slowly" | "answers too late";

type Step =
  | { readonly kind: "publish"; readonly count: number }
  | { readonly kind: "advance"; readonly by: number }
  | { readonly kind: "mood"; readonly of: "decide" | "add"; readonly mood: Mood }
  | { readonly kind: "turn" };

const moods = fc.constantFrom<Mood>("answers", "fails", "hangs", "answers slowly", "answers too late");
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("publish" as const),
        count: fc.integer({ min: 1, max: 200 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("advance" as const),
        by: fc.constantFrom(1, 60, 500, 1_000, 2_500, 9_000, 20_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("mood" as const),
        of: fc.constantFrom("decide" as const, "add" as const),
        mood: moods,
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: "turn" as const }) },
  ),
  { maxLength: 40 },
);

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs the steps, then drains; gives for each publish its answers, with what it waited in ms. */
async function run(plan: readonly Step[]) {
  const clock = new ManualClock();
  const mood: Record<"decide" | "add", Mood> = { decide: "answers", add: "answers" };
  const added = new Set<number>();
  const answers = new Map<number, { readonly result: string; readonly waited: number }[]>();
  const go = async <T>(which: "decide" | "add", act: () => T): Promise<T> => {
    switch (mood[which]) {
      case "answers":
        return act();
      case "fails":
        throw new Error("ECONNREFUSED");
      case "hangs":
        return new Promise(() => undefined);
      case "answers slowly":
        await clock.sleep(millis(900));
        return act();
      case "answers too late":
        await clock.sleep(millis(5_000));
        return act();
    }
  };
  const verdictOf = (at: number): Verdict => (at % 3 === 0 ? { kind: "merged" } : { kind: "now" });
  const batcher = new MicroBatcher({
    admission: {
      decide: async (wakeups) => go("decide", () => wakeups.map(({ receivedAt }) => verdictOf(receivedAt))),
    },
    queue: {
      add: async (wakeups) => go("add", () => wakeups.forEach(({ receivedAt }) => added.add(receivedAt))),
    },
    clock,
    observe: () => undefined,
    limits: { publishes: 500, bytes: 1_000_000 },
    flushApart: millis(2),
    holdFor: seconds(20),
    answer: ({ address, since }, result) => {
      const given = answers.get(Number(address.id)) ?? [];
      answers.set(Number(address.id), [...given, { result, waited: clock.monotonic() - since }]);
    },
    onHeldInVain: async () => undefined,
  });
  let published = 0;
  const publish = (): void => {
    published += 1;
    batcher.accept({
      wakeup: aWakeup({ token: aToken(published), receivedAt: epochMillis(published) }),
      sender: "example.com",
      payer: "example.com",
      address: { id: String(published), from: "example.com", to: "push.example.net" },
      path: { send: () => undefined },
      device: String(published),
      since: clock.monotonic(),
      size: 100,
    });
  };
  for (const step of plan) {
    if (step.kind === "publish") for (let count = 0; count < step.count; count += 1) publish();
    if (step.kind === "advance") await clock.advance(millis(step.by));
    if (step.kind === "mood") mood[step.of] = step.mood;
    await turn();
  }
  const drained = new AbortController();
  void batcher.drain().then(() => drained.abort());
  // As often as a hung call may have to be given up.
  for (let second = 0; second < 60 && !drained.signal.aborted; second += 1) {
    await turn();
    await clock.advance(seconds(1));
    await turn();
  }
  return { published, answers, added, isDrained: drained.signal.aborted };
}

describe("the batcher, whatever admission and the queue do", () => {
  it("answers each publish once, within 25 s, and accepts only what is durable", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const { published, answers, added, isDrained } = await run(plan);
        expect(isDrained).toBe(true);
        expect(answers.size).toBe(published);
        for (const [id, given] of answers) {
          expect(given).toHaveLength(1);
          expect(given[0]?.waited).toBeLessThanOrEqual(25_000);
          expect(given[0]?.result !== "queued" || added.has(id)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
