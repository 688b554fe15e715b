import {
  between,
  type Clock,
  type Health,
  later,
  type Millis,
  millis,
  type Observe,
  type PartHealth,
  QUEUE_NAME,
  redisKeysOf,
  type Region,
  seconds,
} from "@reveille/wakeup";
import { DelayedError, type Job, Queue, Worker } from "bullmq";
import { type Redis } from "ioredis";

import { decodeBatch, encodeBatch, type QueuedWakeup } from "./batch.ts";
import { type BatchId, batchIds } from "./batch-id.ts";
import { type Disposition, type RetryGroup, settleBatch } from "./disposition.ts";
import { pauseOnRefusal } from "./pause-on-refusal.ts";
import { JOB_NAME } from "./wakeup-queue.ts";

/** The side that takes wakeups from the queue. */
export interface WakeupConsumer extends AsyncDisposable {
  readonly health: () => PartHealth;
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
  /** Disposing waits so long for batches in hand; later ones come back as stalled. Default 20 s. */
  readonly drainWithin?: Millis;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** A batch whose worker died is noticed after the lock and one or two checks: 10 to 20 s. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** BullMQ fails a job that stalled more often. Ours are bounded by the deadline of their wakeups, not by crashes. */
const MAX_STALLED = 1_000_000;

/** Batches that were tried before go behind all fresh ones (BullMQ serves jobs without priority first). */
const RETRY_PRIORITY = 1;

const RETRY_AFTER_EXCEPTION = seconds(5);

/** Takes batches and hands them to `handle` until disposed. Resolves when it does. */
export async function consumeWakeups(options: ConsumerOptions): Promise<WakeupConsumer> {
  const { redis, clock, observe, handle } = options;
  const prefix = redisKeysOf(options.region).queuePrefix;
  const newBatchId = batchIds(options.node);
  const queue = new Queue(QUEUE_NAME, { connection: redis, prefix, skipMetasUpdate: true });
  queue.on("error", () => undefined);

  const worker = new Worker<unknown>(QUEUE_NAME, (job, token = "") => settling(job, token), {
    connection: redis,
    prefix,
    concurrency: options.batchesAtOnce,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLED,
    removeOnComplete: { count: 0 },
    // Only BullMQ itself can fail a job of ours; its body holds tokens.
    removeOnFail: { count: 0 },
    runRetryDelay: 1_000,
  });

  const stopped = new AbortController();
  const guard = pauseOnRefusal(worker, { clock, observe, stop: stopped.signal });
  await worker.waitUntilReady();

  return {
    health: () => ({ part: "queue", health: healthNow() }),
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await Promise.race([closing(), clock.sleep(options.drainWithin ?? seconds(20))]);
    },
  };

  function healthNow(): Health {
    if (stopped.signal.aborted) return { kind: "draining" };
    if (redis.status !== "ready") return { kind: "failing", because: "Redis is away" };
    const because = guard.refusal();
    return because === undefined ? { kind: "ready" } : { kind: "failing", because };
  }

  async function closing(): Promise<void> {
    await worker.close();
    await queue.close();
  }

  async function settling(job: Job<unknown>, token: string): Promise<void> {
    const queued = decodeBatch(job.data, job.stalledCounter > 0);
    if (queued === undefined) {
      observe({ kind: "batch-broken" });
      return;
    }
    const takenAt = clock.now();
    const oldest = Math.min(takenAt, ...queued.map(({ wakeup }) => wakeup.receivedAt));
    observe({ kind: "batch-taken", wakeups: queued.length, waited: millis(takenAt - oldest) });

    const settlement = settleBatch(queued, await dispositionsOf(queued), RETRY_AFTER_EXCEPTION);
    const { done, retried, givenUp, groups } = settlement;
    observe({ kind: "batch-settled", done, retried, givenUp, took: between(takenAt, clock.now()) });
    if (groups.length === 0) return;
    try {
      await postponing(job.id ?? "", token, groups);
    } catch (error) {
      // Any other exception would make BullMQ fail the job. Left as it is, it comes back when its lock expires.
      observe({ kind: "batch-failed", because: String(error) });
    }
    throw new DelayedError();
  }

  async function dispositionsOf(queued: readonly QueuedWakeup[]): Promise<readonly Disposition[]> {
    try {
      return await handle(queued);
    } catch (error) {
      observe({ kind: "batch-failed", because: String(error) });
      return [];
    }
  }

  /**
   * The other groups become jobs before this one lets go of their wakeups, so a crash in between repeats and never
   * loses. Their ids are new each time: one that existed already would swallow a group that has changed since.
   */
  async function postponing(jobId: string, token: string, groups: readonly RetryGroup[]): Promise<void> {
    const [own, ...others] = groups;
    if (own === undefined) return;
    for (const { after, wakeups } of others) {
      const jobId: BatchId = newBatchId();
      await queue.add(JOB_NAME, encodeBatch(wakeups), { jobId, delay: after, priority: RETRY_PRIORITY });
    }
    const fieldsToUpdate = { data: JSON.stringify(encodeBatch(own.wakeups)), priority: RETRY_PRIORITY };
    const now = clock.now();
    const delay = between(now, later(now, own.after));
    await worker.getBackend().moveToDelayed(jobId, now, delay, token, { skipAttempt: true, fieldsToUpdate });
  }
}
