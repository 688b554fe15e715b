import { aToken, aWakeup } from "@reveille/testkit";
import { type DeviceToken, epochMillis, millis, type Outcome, type PushEvent } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { aWorkerWith, clock } from "./testing/a-worker.ts";

const DELIVERED: Outcome = { kind: "delivered", apnsId: "11111111-1111-8111-a111-111111111111" };

/** A worker whose push service answers as told; `sent` is what it was asked for. */
async function aWorker(answer: (token: DeviceToken, attempt: number) => Outcome) {
  const sent: DeviceToken[] = [];
  const scene = await aWorkerWith({
    room: () => Infinity,
    send: async ({ token }) => {
      sent.push(token);
      await Promise.resolve();
      return answer(token, sent.filter((other) => other === token).length);
    },
  });
  return { ...scene, sent, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

const wakeupOf = (seed: number) => aWakeup({ token: aToken(seed), receivedAt: clock.now() });

const dropped = (events: readonly PushEvent[]): readonly PushEvent[] =>
  events.filter((event) => event.kind === "wakeup-dropped" && event.because === "covered");

describe("a worker", () => {
  it("sends each wakeup of a batch once and tells how it ended", async () => {
    await using scene = await aWorker(() => DELIVERED);
    await scene.queue.add([wakeupOf(1), wakeupOf(2), wakeupOf(3)]);
    await vi.waitFor(() => expect(scene.events.some(({ kind }) => kind === "batch-settled")).toBe(true));
    expect(scene.sent.toSorted()).toEqual([aToken(1), aToken(2), aToken(3)].toSorted());
    expect(scene.events.find(({ kind }) => kind === "batch-settled")).toMatchObject({ done: 3, retried: 0 });
    expect(scene.worker.health()).toEqual({ part: "queue", health: { kind: "ready" } });
  });

  it("repeats only the wakeup that failed", async () => {
    const unreachable: Outcome = { kind: "unreachable", reason: "timeout", retryAfter: millis(50) };
    await using scene = await aWorker((token, attempt) =>
      token === aToken(2) && attempt === 1 ? unreachable : DELIVERED,
    );
    await scene.queue.add([wakeupOf(1), wakeupOf(2)]);
    await vi.waitFor(() => expect(scene.sent).toHaveLength(3));
    expect(scene.sent.filter((token) => token === aToken(2))).toHaveLength(2);
  });

  it("makes admission refuse a token that Apple calls gone", async () => {
    await using scene = await aWorker(() => ({
      kind: "token-dead",
      reason: "Unregistered",
      proof: "certain",
    }));
    await scene.queue.add([wakeupOf(1)]);
    await vi.waitFor(async () =>
      expect(await scene.admission.decide([wakeupOf(1)])).toEqual([{ kind: "dead" }]),
    );
  });

  it("believes a BadDeviceToken the second time", async () => {
    await using scene = await aWorker(() => ({
      kind: "token-dead",
      reason: "BadDeviceToken",
      proof: "suspected",
    }));
    await scene.queue.add([wakeupOf(1)]);
    await vi.waitFor(async () =>
      expect(await scene.admission.decide([wakeupOf(1)])).toEqual([{ kind: "dead" }]),
    );
    expect(scene.sent.length).toBeGreaterThanOrEqual(2);
  });

  it("ends a backlog with one push per device, and none for what a later push has covered", async () => {
    await using scene = await aWorker(() => DELIVERED);
    const old = millis(60_000);
    const waited = (age: number) =>
      aWakeup({ token: aToken(1), receivedAt: epochMillis(clock.now() - old - age) });
    const other = aWakeup({ token: aToken(2), receivedAt: epochMillis(clock.now() - old) });
    await scene.queue.add([waited(3_000), waited(2_000), other]);
    await vi.waitFor(() => expect(dropped(scene.events)).toHaveLength(1));
    await scene.queue.add([waited(1_000)]);
    await vi.waitFor(() => expect(dropped(scene.events)).toHaveLength(2));
    expect(scene.sent.toSorted()).toEqual([aToken(1), aToken(2)].toSorted());
  });

  it("pumps a trailing push into the queue when its time has come", async () => {
    await using scene = await aWorker(() => DELIVERED);
    expect(await scene.admission.decide([wakeupOf(1)])).toEqual([{ kind: "now" }]);
    expect(await scene.admission.decide([wakeupOf(1)])).toMatchObject([{ kind: "later" }]);
    expect(await scene.admission.decide([wakeupOf(1)])).toEqual([{ kind: "merged" }]);
    await vi.waitFor(() => expect(scene.sent).toEqual([aToken(1)]));
    expect(await scene.admission.backlog()).toEqual({ waiting: 0 });
    expect(scene.events).toContainEqual({ kind: "trailing-pumped", wakeups: 1 });
  });
});
