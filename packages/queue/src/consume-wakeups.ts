import {
  failureReason,
  type Clock,
  type Health,
  type Millis,
  millis,
  minutes,
  type Observe,
  type PartHealth,
  type Region,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type QueuedWakeup } from "./batch.ts";
import { batchIds } from "./batch-id.ts";
import { BatchLoop } from "./batch-loop.ts";
import { openBatchSource, type BatchSource, type TakenBatch } from "./batch-source.ts";
import { type Disposition } from "./disposition.ts";
import { settling } from "./settling.ts";

/** The side that takes wakeups from the queue. */
export interface WakeupConsumer extends AsyncDisposable {
  readonly health: () => PartHealth;
  /** Whether a batch was taken since this was asked last. */
  readonly hasTaken: () => boolean;
}

export interface ConsumerOptions {
  /** From `openWorkerRedis`. Stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  /** Name of this host; part of the ids of split batches. */
  readonly node: string;
  /**
   * One disposition per wakeup, in the same order. If it throws, all of them are tried again after 5 s. Must settle
   * each wakeup in bounded time: a batch ends with its slowest one.
   */
  readonly handle: (wakeups: readonly QueuedWakeup[]) => Promise<readonly Disposition[]>;
  readonly batchesAtOnce: number;
  /** How many more wakeups can be settled without waiting for others: none are taken at 0. Default: any number. */
  readonly room?: () => number;
  /** Disposing waits so long for batches in hand; later ones come back as stalled. Default 20 s. */
  readonly drainWithin?: Millis;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** Locks last twice as long. */
const HEARTBEAT = seconds(5);
/** A source that is asked answers within 10 s, or Redis is away. BullMQ's blocking read has hung before (issue 4585). */
const STUCK_AFTER = seconds(30);

/** Handlers settle each wakeup in bounded time; one that does not has hung. */
const HELD_TOO_LONG = minutes(1);

/** How long a connection of BullMQ may take to close, or to give up waiting. */
const CLOSE_WITHIN = seconds(1);

/** Takes batches and hands them to `handle` until disposed. Resolves when it does; throws what Redis throws. */
export async function consumeWakeups(options: ConsumerOptions): Promise<WakeupConsumer> {
  const { redis, region, clock, observe, batchesAtOnce, room = () => Infinity } = options;
  const newBatchId = batchIds(options.node);
  const stop = new AbortController();
  const ended = new AbortController();
  const sources: BatchSource[] = [];
  const loops: BatchLoop[] = [];
  const runs: Promise<void>[] = [];
  let abandon = new AbortController();
  let loop = await startLoop(abandon.signal);
  let seen = 0;
  void heartbeat();

  return {
    health: () => ({ part: "queue", health: healthNow() }),
    hasTaken: () => {
      const { taken } = loop;
      const isMore = taken > seen;
      seen = taken;
      return isMore;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await within(CLOSE_WITHIN, Promise.all(sources.map((source) => source.wake())));
      await within(options.drainWithin ?? seconds(20), drained());
      ended.abort();
      await within(CLOSE_WITHIN, Promise.all(sources.map((source) => source[Symbol.asyncDispose]())));
    },
  };

  async function drained(): Promise<void> {
    // Nothing more comes from a Redis that is away, and BullMQ's reader may hang in a reconnect.
    const patience = redis.status === "ready" ? CLOSE_WITHIN : millis(0);
    await within(patience, Promise.all(runs));
    await Promise.all(loops.map((each) => each.emptyHanded()));
  }

  async function startLoop(abandoned: AbortSignal): Promise<BatchLoop> {
    const source = await openBatchSource({ redis, region, clock, newBatchId });
    const settle = (batch: TakenBatch): Promise<void> =>
      settling(batch, { ...options, abandoned: ended.signal });
    const signal = AbortSignal.any([stop.signal, abandoned]);
    const started = new BatchLoop({ source, settle, batchesAtOnce, room, clock, observe, stop: signal });
    sources.push(source);
    loops.push(started);
    runs.push(started.run());
    return started;
  }

  async function heartbeat(): Promise<void> {
    let stuck = 0;
    for (;;) {
      await clock.sleep(HEARTBEAT, ended.signal);
      if (ended.signal.aborted) return;
      // A lock that cannot be renewed is told when its batch is finished.
      for (const source of sources) source.renewLocks().catch(() => undefined);
      const isStuck = redis.status === "ready" && loop.unansweredFor > STUCK_AFTER;
      stuck = isStuck && !stop.signal.aborted ? stuck + 1 : 0;
      // Twice, since the answer may be under way after a reconnect.
      if (stuck < 2) continue;
      stuck = 0;
      await restart().catch((error: unknown) =>
        observe({ kind: "batch-failed", because: failureReason(error) }),
      );
    }
  }

  async function restart(): Promise<void> {
    observe({ kind: "consumer-restarted", stuckFor: loop.unansweredFor });
    abandon.abort();
    abandon = new AbortController();
    loop = await startLoop(abandon.signal);
  }

  function healthNow(): Health {
    if (stop.signal.aborted) return { kind: "draining" };
    if (redis.status !== "ready") return { kind: "failing", because: "Redis is away" };
    if (loop.refusal !== undefined) return { kind: "failing", because: loop.refusal };
    if (loop.heldFor > HELD_TOO_LONG)
      return { kind: "failing", because: "a batch is not settled for a minute", stuck: true };
    return { kind: "ready" };
  }

  async function within(duration: Millis, work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    await Promise.race([work, clock.sleep(duration, over.signal)]);
    over.abort();
  }
}
