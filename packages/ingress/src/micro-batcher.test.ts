import { type BatchId } from "@reveille/queue";
import { aWakeup, ManualClock, aToken } from "@reveille/testkit";
import {
  epochMillis,
  millis,
  type PublishResult,
  type PushEvent,
  seconds,
  type Verdict,
} from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { MicroBatcher, type MicroBatcherOptions } from "./micro-batcher.ts";
import { type PendingPublish } from "./pending-publish.ts";

const NOW: Verdict = { kind: "now" };
const ROOMY = { publishes: 1_000, bytes: 1_000_000 };

function aRig(options: Partial<MicroBatcherOptions> = {}) {
  const clock = new ManualClock();
  const answers: (readonly [string, PublishResult])[] = [];
  const added: string[][] = [];
  const events: PushEvent[] = [];
  const batcher = new MicroBatcher({
    admission: { decide: async (wakeups) => wakeups.map(() => NOW) },
    queue: { add: async (wakeups) => void added.push(wakeups.map(({ receivedAt }) => String(receivedAt))) },
    clock,
    observe: (event) => void events.push(event),
    limits: ROOMY,
    flushApart: millis(0),
    holdFor: seconds(20),
    answer: ({ address }, result) => void answers.push([address.id, result]),
    onHeldInVain: async () => undefined,
    ...options,
  });
  const aWaiting = (id: number, size = 100): PendingPublish => ({
    wakeup: aWakeup({ token: aToken(id), receivedAt: epochMillis(id) }),
    sender: "example.com",
    payer: "example.com",
    address: { id: String(id), from: "example.com", to: "push.example.net" },
    path: { send: () => undefined },
    since: clock.monotonic(),
    device: aToken(id),
    size,
  });
  return {
    batcher,
    clock,
    answers,
    added,
    events,
    publish: (...ids: readonly number[]) => {
      for (const id of ids) batcher.accept(aWaiting(id));
    },
    accept: (id: number, size: number) => batcher.accept(aWaiting(id, size)),
    answered: (id: number) =>
      answers.filter(([answered]) => answered === String(id)).map(([, result]) => result),
  };
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe("the batcher", () => {
  it("accepts a trailing push once replicas have it, and decides again if they cannot be asked", async () => {
    const asked: PromiseWithResolvers<void>[] = [];
    const rig = aRig({
      admission: { decide: async (wakeups) => wakeups.map(() => ({ kind: "later", after: seconds(20) })) },
      queue: {
        add: async () => undefined,
        replicate: async () => {
          const question = Promise.withResolvers<void>();
          asked.push(question);
          return question.promise;
        },
      },
    });
    rig.publish(1);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    asked[0]?.reject(new Error("Connection is closed."));
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    expect(rig.answers).toEqual([]);
    await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    asked[1]?.resolve();
    await vi.waitFor(() => expect(rig.answered(1)).toEqual(["later"]));
  });

  it("accepts what was merged into a trailing push no sooner than the push itself", async () => {
    let isCutOff = true;
    const verdicts: Verdict[] = [{ kind: "later", after: seconds(20) }];
    const rig = aRig({
      // Redis knows the trailing push from the first time, whether or not it was answered.
      admission: { decide: async () => [verdicts.shift() ?? { kind: "merged" }] },
      queue: {
        add: async () => undefined,
        replicate: async () => {
          if (isCutOff) throw new Error("no majority");
        },
      },
    });
    rig.publish(1);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    await rig.clock.advance(seconds(5));
    expect(rig.answers).toEqual([]);
    await rig.clock.advance(seconds(16));
    await vi.waitFor(() => expect(rig.answered(1)).toEqual(["our-trouble"]));
    rig.publish(2);
    await rig.clock.advance(seconds(1));
    expect(rig.answered(2)).toEqual([]);
    isCutOff = false;
    await vi.waitFor(async () => {
      await rig.clock.advance(seconds(1));
      expect(rig.answered(2)).toEqual(["merged"]);
    });
  });

  it("takes what comes within the pace together, and no longer than until a batch is full", async () => {
    const rig = aRig({ flushApart: millis(2) });
    rig.publish(1);
    await vi.waitFor(() => expect(rig.added).toEqual([["1"]]));
    rig.publish(2);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    rig.publish(3);
    expect(rig.added).toHaveLength(1);
    await rig.clock.advance(millis(2));
    await vi.waitFor(() => expect(rig.added).toEqual([["1"], ["2", "3"]]));
    rig.publish(...numbers(4, 4 + 128));
    await vi.waitFor(() => expect(rig.added).toHaveLength(3));
    expect(rig.clock.monotonic()).toBe(2);
  });

  it("settles all of one turn in one batch, and what arrives meanwhile in the next", async () => {
    const first = Promise.withResolvers<undefined>();
    const batches: number[] = [];
    const rig = aRig({
      admission: {
        decide: async (wakeups) => {
          batches.push(wakeups.length);
          if (batches.length === 1) await first.promise;
          return wakeups.map(() => NOW);
        },
      },
    });
    rig.publish(1, 2, 3);
    await vi.waitFor(() => expect(batches).toEqual([3]));
    rig.publish(4);
    rig.publish(5);
    expect(rig.answers).toEqual([]);
    first.resolve(undefined);
    await vi.waitFor(() => expect(rig.answers).toHaveLength(5));
    expect(batches).toEqual([3, 2]);
    expect(rig.added).toEqual([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
    await rig.batcher.drain();
  });

  it("gives at most 128 wakeups to admission at a time, in their order", async () => {
    const rig = aRig();
    rig.publish(...numbers(0, 300));
    await vi.waitFor(() => expect(rig.answers).toHaveLength(300));
    expect(rig.added.map(({ length }) => length)).toEqual([128, 128, 44]);
    expect(rig.answers.map(([id]) => Number(id))).toEqual(numbers(0, 300));
    await rig.batcher.drain();
  });

  it.each<[Verdict, PublishResult]>([
    [{ kind: "now" }, "queued"],
    [{ kind: "later", after: seconds(20) }, "later"],
    [{ kind: "merged" }, "merged"],
    [{ kind: "dead" }, "token-dead"],
    [{ kind: "over-limit" }, "over-limit"],
  ])("answers the verdict %o with %s; only `now` goes into the queue", async (verdict, result) => {
    const rig = aRig({ admission: { decide: async () => [verdict] } });
    rig.publish(1);
    await vi.waitFor(() => expect(rig.answered(1)).toEqual([result]));
    expect(rig.added).toEqual(verdict.kind === "now" ? [["1"]] : []);
    await rig.batcher.drain();
  });

  it("answers nothing of a batch before the queue has it", async () => {
    const durable = Promise.withResolvers<undefined>();
    const rig = aRig({
      admission: {
        decide: async (wakeups) => wakeups.map((_, index) => (index === 0 ? NOW : { kind: "merged" })),
      },
      queue: { add: async () => durable.promise },
    });
    rig.publish(1, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rig.answers).toEqual([]);
    durable.resolve(undefined);
    await vi.waitFor(() =>
      expect(rig.answers).toEqual([
        ["1", "queued"],
        ["2", "merged"],
      ]),
    );
    await rig.batcher.drain();
  });

  it("tells admission the sending domains, at the places of their wakeups", async () => {
    const asked: (readonly string[])[] = [];
    const rig = aRig({
      admission: {
        decide: async (wakeups, senders) => {
          asked.push(senders);
          return wakeups.map(() => NOW);
        },
      },
    });
    rig.publish(1, 2);
    await vi.waitFor(() => expect(asked).toEqual([["example.com", "example.com"]]));
    await rig.batcher.drain();
  });
});

describe("an batcher whose Redis is away", () => {
  /** Fails until `heal` is called. */
  function aFailingBatcher(
    part: "decide" | "add",
    limits = ROOMY,
    onHeldInVain = async (): Promise<undefined> => undefined,
  ) {
    let isSick = true;
    let asked = 0;
    const added: string[] = [];
    const maybeFail = (where: string): void => {
      if (where === part) asked += 1;
      if (isSick && where === part) throw new Error("READONLY You can't write against a read only replica.");
    };
    const rig = aRig({
      limits,
      onHeldInVain,
      admission: {
        decide: async (wakeups) => {
          maybeFail("decide");
          return wakeups.map(({ receivedAt }) => (receivedAt % 2 === 0 ? { kind: "merged" } : NOW));
        },
      },
      queue: {
        add: async (wakeups) => {
          maybeFail("add");
          added.push(...wakeups.map(({ receivedAt }) => String(receivedAt)));
        },
      },
    });
    const heal = (): void => void (isSick = false);
    return { ...rig, added, heal, asked: () => asked };
  }

  it("holds publishes and settles them in their order when it is back", async () => {
    const rig = aFailingBatcher("decide");
    rig.publish(1, 3);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    rig.publish(5);
    await rig.clock.advance(seconds(5));
    rig.publish(7);
    expect(rig.answers).toEqual([]);
    expect(rig.batcher.health).toEqual({ kind: "failing", because: "READONLY" });
    rig.heal();
    await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(rig.answers).toHaveLength(4));
    expect(rig.added).toEqual(["1", "3", "5", "7"]);
    expect(rig.batcher.health).toEqual({ kind: "ready" });
    await rig.batcher.drain();
  });

  it("does not spin meanwhile", async () => {
    const rig = aFailingBatcher("decide");
    rig.publish(1);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    for (let second = 0; second < 10; second += 1) await rig.clock.advance(seconds(1));
    expect(rig.asked()).toBeLessThan(30);
    expect(rig.asked()).toBeGreaterThan(10);
    rig.heal();
    await rig.clock.advance(seconds(1));
    await rig.batcher.drain();
  });

  it("does not ask admission again about a batch that only the queue refused", async () => {
    const rig = aFailingBatcher("add");
    rig.publish(1, 2, 3);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    // What is merged may ride on a wakeup that is not in the queue yet.
    expect(rig.answers).toEqual([]);
    rig.heal();
    await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(rig.answers).toHaveLength(3));
    expect(rig.added).toEqual(["1", "3"]);
    await rig.batcher.drain();
  });

  it.each(["decide", "add"] as const)(
    "tells all to wait after 20 s of failing %s, and offers its place to another",
    async (part) => {
      const leaving = Promise.withResolvers<undefined>();
      const rig = aFailingBatcher(part, ROOMY, async () => leaving.promise);
      rig.publish(1);
      await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
      await rig.clock.advance(seconds(10));
      rig.publish(3);
      await rig.clock.advance(millis(9_900));
      expect(rig.answers).toEqual([]);
      await rig.clock.advance(seconds(2));
      rig.publish(5);
      expect(rig.answers).toEqual([
        ["1", "our-trouble"],
        ["3", "our-trouble"],
        ["5", "our-trouble"],
      ]);
      expect(rig.batcher.health.kind).toBe("failing");
      leaving.resolve(undefined);
      await vi.waitFor(() => expect(rig.batcher.health).toEqual({ kind: "ready" }));
      rig.heal();
      await vi.waitFor(async () => {
        await rig.clock.advance(seconds(1));
        rig.publish(7);
        expect(rig.answered(7)).toContain("queued");
      });
      await rig.batcher.drain();
    },
  );

  it("tells those to wait that find it full, by number or by memory, and holds the others", async () => {
    const few = aFailingBatcher("decide", { publishes: 2, bytes: 1_000_000 });
    few.publish(1, 3, 5);
    expect(few.answers).toEqual([["5", "overload"]]);
    const heavy = aFailingBatcher("decide", { publishes: 1_000, bytes: 1_000 });
    heavy.accept(1, 1_500);
    heavy.accept(3, 10);
    expect(heavy.answers).toEqual([["3", "overload"]]);
    for (const rig of [few, heavy]) {
      rig.heal();
      await vi.waitFor(() => expect(rig.clock.sleepers).toBeGreaterThan(0));
      await rig.clock.advance(seconds(1));
      await vi.waitFor(() => expect(rig.answered(1)).toEqual(["queued"]));
      rig.publish(7);
      await vi.waitFor(() => expect(rig.answered(7)).toEqual(["queued"]));
      await rig.batcher.drain();
    }
  });

  it("does not wait for an answer that never comes, nor for two", async () => {
    let calls = 0;
    const late = Promise.withResolvers<readonly Verdict[]>();
    const rig = aRig({
      admission: {
        decide: async (wakeups) => {
          calls += 1;
          return calls === 1 ? late.promise : wakeups.map(() => NOW);
        },
      },
    });
    rig.publish(1);
    await vi.waitFor(() => expect(calls).toBe(1));
    for (let second = 0; second < 4; second += 1) await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(rig.answered(1)).toEqual(["queued"]));
    late.resolve([NOW]);
    await rig.batcher.drain();
    expect(rig.answered(1)).toEqual(["queued"]);
    expect(rig.added).toEqual([["1"]]);
  });

  it("offers a batch under one name to the queue until it takes it", async () => {
    const isBatchId = (text: string): text is BatchId => text.startsWith("batch");
    const offered: (readonly [string | undefined, number])[] = [];
    let made = 0;
    const rig = aRig({
      queue: {
        newBatchId: () => {
          made += 1;
          const id = `batch-${made}`;
          if (!isBatchId(id)) throw new Error("no batch id");
          return id;
        },
        add: async (wakeups, id) => {
          offered.push([id, wakeups.length]);
          if (offered.length < 3) throw new Error("Command timed out");
        },
      },
    });
    rig.publish(1, 2);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    rig.publish(3);
    await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(rig.answers).toHaveLength(3));
    expect(offered).toEqual([
      ["batch-1", 2],
      ["batch-1", 2],
      ["batch-1", 2],
      ["batch-2", 1],
    ]);
    await rig.batcher.drain();
  });

  it("ends the hold in time even when each attempt hangs", async () => {
    const rig = aRig({ admission: { decide: async () => new Promise(() => undefined) } });
    rig.publish(1);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(1));
    for (let second = 0; second < 24; second += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await rig.clock.advance(seconds(1));
    }
    expect(rig.answered(1)).toEqual(["our-trouble"]);
    await rig.batcher.drain();
  });

  it("takes a wrong number of verdicts for trouble, not for verdicts", async () => {
    let isRight = false;
    const rig = aRig({ admission: { decide: async (wakeups) => (isRight ? wakeups.map(() => NOW) : []) } });
    rig.publish(1);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    expect(rig.answers).toEqual([]);
    isRight = true;
    await rig.clock.advance(seconds(1));
    await vi.waitFor(() => expect(rig.answered(1)).toEqual(["queued"]));
    await rig.batcher.drain();
  });

  it("drains by telling all in hand to wait, at once", async () => {
    const rig = aFailingBatcher("add");
    rig.publish(1, 3);
    await vi.waitFor(() => expect(rig.clock.sleepers).toBe(2));
    rig.publish(5);
    const drained = rig.batcher.drain();
    rig.publish(7);
    await drained;
    expect(rig.answers).toEqual([
      ["7", "draining"],
      ["1", "our-trouble"],
      ["3", "our-trouble"],
      ["5", "our-trouble"],
    ]);
  });
});

describe("an batcher that drains", () => {
  it("settles all in hand and tells later publishes to wait", async () => {
    const rig = aRig();
    rig.publish(...numbers(0, 300));
    const drained = rig.batcher.drain();
    rig.publish(300);
    expect(rig.answers).toEqual([["300", "draining"]]);
    await drained;
    expect(rig.answers).toHaveLength(301);
    expect(rig.answered(299)).toEqual(["queued"]);
    expect(rig.batcher.health).toEqual({ kind: "draining" });
    expect(rig.clock.sleepers).toBe(0);
  });
});
