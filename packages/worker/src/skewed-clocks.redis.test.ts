import { aToken, aWakeup } from "@reveille/testkit";
import { epochMillis, hours, type Outcome, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { aWorkerWith, clock, skewedBy } from "./testing/a-worker.ts";

const DELIVERED: Outcome = { kind: "delivered", apnsId: "11111111-1111-8111-a111-111111111111" };
const LATE: number = hours(2);

async function aWorker(hosts: Parameters<typeof aWorkerWith>[1]) {
  const sent: Wakeup[] = [];
  const send = (wakeup: Wakeup): Promise<Outcome> => {
    sent.push(wakeup);
    return Promise.resolve(DELIVERED);
  };
  return { sent, ...(await aWorkerWith({ room: () => Infinity, send }, hosts)) };
}

const twenty = (receivedAt: number): readonly Wakeup[] =>
  Array.from({ length: 20 }, (_, seed) =>
    aWakeup({ token: aToken(seed), receivedAt: epochMillis(receivedAt) }),
  );

describe("with hosts whose clocks are wrong", () => {
  it.each([
    ["a worker 2 h ahead", { ingress: clock, worker: skewedBy(LATE) }],
    ["a worker 2 h behind", { ingress: clock, worker: skewedBy(-LATE) }],
    ["an ingress 2 h behind", { ingress: skewedBy(-LATE), worker: clock }],
    ["an ingress 2 h ahead", { ingress: skewedBy(LATE), worker: clock }],
    ["an ingress 2 h behind and a worker 2 h ahead", { ingress: skewedBy(-LATE), worker: skewedBy(LATE) }],
  ])("%s, each of 20 accepted wakeups is sent once", async (_which, hosts) => {
    await using scene = await aWorker(hosts);
    await scene.queue.add(twenty(scene.clock.now()));
    await vi.waitFor(() => expect(scene.sent).toHaveLength(20));
    expect(scene.events.filter(({ kind }) => kind === "wakeup-dropped")).toEqual([]);
    const skews = scene.events.filter((event) => event.kind === "clock-compared" && event.isWrong);
    expect(skews).not.toEqual([]);
  });

  it("what is really past its deadline is dropped, by a worker 2 h behind as well", async () => {
    await using scene = await aWorker({ ingress: clock, worker: skewedBy(-LATE) });
    await scene.queue.add(twenty(scene.clock.now() - hours(1) - 1_000));
    await vi.waitFor(() =>
      expect(
        scene.events.filter((event) => event.kind === "wakeup-dropped" && event.because === "deadline"),
      ).toHaveLength(20),
    );
    expect(scene.sent).toEqual([]);
  });
});
