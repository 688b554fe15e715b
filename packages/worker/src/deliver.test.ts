import { type Disposition } from "@reveille/queue";
import { aWakeup, ManualClock } from "@reveille/testkit";
import {
  epochMillis,
  hours,
  later,
  millis,
  minutes,
  type Outcome,
  type PushEvent,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { deliver, type Delivery } from "./deliver.ts";
import { type DeliveryMemory } from "./ports.ts";

interface Scene {
  readonly delivery: Delivery;
  readonly clock: ManualClock;
  readonly sent: Wakeup[];
  readonly events: PushEvent[];
  readonly remembered: unknown[];
}

/** A delivery whose push service gives this outcome, and a memory that writes down what it is told. */
function aScene(outcome: Outcome, memory: Partial<DeliveryMemory> = {}): Scene {
  const clock = new ManualClock();
  const sent: Wakeup[] = [];
  const events: PushEvent[] = [];
  const remembered: unknown[] = [];
  const delivery: Delivery = {
    clock,
    deadlineOf: () => hours(1),
    chance: () => 0,
    observe: (event) => events.push(event),
    send: async (wakeup) => {
      sent.push(wakeup);
      await Promise.resolve();
      return outcome;
    },
    memory: {
      markDead: async (_wakeup, since) => void remembered.push(["dead", since]),
      noteAccepted: () => void remembered.push(["first", true]),
      noteFirst: async (_wakeup, isAccepted) => void remembered.push(["first", isAccepted]),
      suspectDead: async () => ({ kind: "confirm", after: minutes(1) }),
      clearSuspicion: async () => void remembered.push(["cleared"]),
      postpone: async (_wakeup, by) => void remembered.push(["postponed", by]),
      ...memory,
    },
  };
  return { delivery, clock, sent, events, remembered };
}

const attempted = async (wakeup: Wakeup, attempt: number, delivery: Delivery): Promise<Disposition> =>
  (await deliver({ wakeup, attempt, again: false, overtakes: false }, delivery)).disposition;

const DELIVERED: Outcome = { kind: "delivered", apnsId: "11111111-1111-8111-a111-111111111111" };
const since = epochMillis(1_700_000_000_000);

describe("a delivery", () => {
  it.each<[string, Outcome, unknown]>([
    ["a push that Apple took", DELIVERED, { kind: "done" }],
    [
      "a token that is gone",
      { kind: "token-dead", reason: "Unregistered", proof: "certain", since },
      { kind: "done" },
    ],
    [
      "a device that gets too many",
      { kind: "throttled", reason: "TooManyRequests", retryAfter: seconds(30) },
      { kind: "retry", after: 30_000 },
    ],
    ["nobody answering", { kind: "unreachable", reason: "timeout" }, { kind: "retry", after: 1_000 }],
    [
      "Apple asking for patience",
      { kind: "unreachable", reason: "ServiceUnavailable", retryAfter: minutes(2) },
      { kind: "retry", after: 120_000, tried: false },
    ],
    [
      "a refused credential",
      { kind: "rejected", reason: "InvalidProviderToken", blame: "module" },
      { kind: "retry", after: 60_000, tried: false },
    ],
    [
      "a refused credential that names a later time",
      { kind: "rejected", reason: "InvalidProviderToken", blame: "module", retryAfter: minutes(5) },
      { kind: "retry", after: 300_000, tried: false },
    ],
    [
      "a refused credential that names an earlier time",
      { kind: "rejected", reason: "InvalidProviderToken", blame: "module", retryAfter: millis(1_000) },
      { kind: "retry", after: 60_000, tried: false },
    ],
    [
      "a request Apple can't read",
      { kind: "rejected", reason: "BadMessageId", blame: "wakeup" },
      { kind: "give-up", reason: "BadMessageId" },
    ],
  ])("of %s ends so", async (_what, outcome, disposition) => {
    const { delivery } = aScene(outcome);
    expect(await attempted(aWakeup(), 1, delivery)).toEqual(disposition);
  });

  it("waits longer after each failure", async () => {
    const { delivery } = aScene({ kind: "unreachable", reason: "timeout" });
    expect(await attempted(aWakeup(), 3, delivery)).toEqual({ kind: "retry", after: 16_000 });
  });

  it("marks a token that is gone, with Apple's time", async () => {
    const { delivery, remembered } = aScene({
      kind: "token-dead",
      reason: "Unregistered",
      proof: "certain",
      since,
    });
    await attempted(aWakeup(), 1, delivery);
    expect(remembered).toEqual([["dead", since]]);
  });

  it("asks once more before it believes a BadDeviceToken", async () => {
    const bad: Outcome = { kind: "token-dead", reason: "BadDeviceToken", proof: "suspected" };
    const first = aScene(bad);
    expect(await attempted(aWakeup(), 1, first.delivery)).toEqual({ kind: "retry", after: 60_000 });
    expect(first.remembered).toEqual([]);

    const second = aScene(bad, { suspectDead: async () => ({ kind: "dead" }) });
    expect(await attempted(aWakeup(), 2, second.delivery)).toEqual({ kind: "done" });
  });

  it.each<[string, Outcome, readonly unknown[]]>([
    ["accepted", DELIVERED, [["first", true]]],
    [
      "gone",
      { kind: "token-dead", reason: "Unregistered", proof: "certain", since },
      [
        ["first", false],
        ["dead", since],
      ],
    ],
    ["bad", { kind: "token-dead", reason: "BadDeviceToken", proof: "suspected" }, [["first", false]]],
    [
      "perhaps bad, by our own settings",
      { kind: "token-dead", reason: "BadDeviceToken", proof: "doubted" },
      [],
    ],
  ])(
    "tells admission that the first push to a device was %s, and repeats none",
    async (_what, outcome, told) => {
      const { delivery, remembered } = aScene(outcome);
      expect(await attempted(aWakeup({ unproven: true }), 1, delivery)).toEqual({ kind: "done" });
      expect(remembered).toEqual(told);
    },
  );

  it("tells admission nothing of a first push without an answer, nor of a device that had one before", async () => {
    const away = aScene({ kind: "unreachable", reason: "timeout" });
    await attempted(aWakeup({ unproven: true }), 1, away.delivery);
    expect(away.remembered).toEqual([]);
    const known = aScene(DELIVERED);
    await attempted(aWakeup(), 1, known.delivery);
    expect(known.remembered).toEqual([]);
  });

  it("forgets a doubt when a second attempt is accepted", async () => {
    const { delivery, remembered } = aScene(DELIVERED);
    await attempted(aWakeup(), 1, delivery);
    expect(remembered).toEqual([]);
    await attempted(aWakeup(), 2, delivery);
    expect(remembered).toEqual([["cleared"]]);
  });

  it("remembers that a device is throttled", async () => {
    const { delivery, remembered } = aScene({ kind: "throttled", reason: "x", retryAfter: seconds(30) });
    await attempted(aWakeup(), 1, delivery);
    expect(remembered).toEqual([["postponed", 30_000]]);
  });

  it("does not ask Apple once the deadline has passed", async () => {
    const { delivery, clock, sent, events } = aScene(DELIVERED);
    const wakeup = aWakeup({ receivedAt: clock.now() });
    await clock.advance(millis(hours(1) + 1));
    expect(await attempted(wakeup, 1, delivery)).toEqual({ kind: "done" });
    expect(sent).toEqual([]);
    expect(events).toEqual([{ kind: "wakeup-dropped", wakeup, because: "deadline" }]);
  });

  it("gives up when the next attempt would come after the deadline", async () => {
    const { delivery, clock, events } = aScene({ kind: "unreachable", reason: "timeout" });
    const wakeup = aWakeup({ receivedAt: clock.now() });
    await clock.advance(minutes(59.5));
    expect(await attempted(wakeup, 10, delivery)).toEqual({ kind: "done" });
    expect(events).toMatchObject([
      { kind: "delivery-settled", next: "give-up" },
      { kind: "wakeup-dropped", because: "deadline" },
    ]);
  });

  it("tells how long Apple took and how old the wakeup was", async () => {
    const { delivery, clock, events } = aScene(DELIVERED);
    const wakeup = aWakeup({ receivedAt: clock.now() });
    await clock.advance(seconds(2));
    const slow: Delivery = {
      ...delivery,
      send: async () => {
        await clock.advance(millis(80));
        return DELIVERED;
      },
    };
    await attempted(wakeup, 1, slow);
    expect(events).toMatchObject([{ kind: "delivery-settled", next: "done", age: 2_080, took: 80 }]);
  });

  it("counts the age from the publish, whatever the two hosts' clocks say", async () => {
    const { delivery, clock, sent } = aScene(DELIVERED);
    await attempted(aWakeup({ receivedAt: later(clock.now(), seconds(5)) }), 1, delivery);
    expect(sent).toHaveLength(1);
  });
});
