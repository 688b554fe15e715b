import { type Clock, QUEUE_NAME, redisKeysOf, type Region } from "@reveille/wakeup";
import { type Job, Queue, Worker } from "bullmq";
import { type Redis } from "ioredis";

import { decodeBatch, encodeBatch, type QueuedWakeup } from "./batch.ts";
import { type BatchId } from "./batch-id.ts";
import { type RetryGroup } from "./disposition.ts";
import { JOB_NAME } from "./wakeup-queue.ts";

/** A batch in the hand of this process, under a lock that others respect. */
export interface TakenBatch {
  /** `undefined` if nobody can read it. */
  readonly wakeups: readonly QueuedWakeup[] | undefined;
  /** All its wakeups are settled. Throws what Redis throws, also if the lock was lost. */
  readonly finish: () => Promise<void>;
  /** So many are to be tried again. Throws as `finish` does; the batch comes back as a whole then. */
  readonly postpone: (groups: readonly RetryGroup[]) => Promise<void>;
}

/** BullMQ, asked for one batch at a time. */
export interface BatchSource extends AsyncDisposable {
  /**
   * The next batch. If there is none: `undefined` at once, or with `wait` after 5 s or whenever one may have come.
   * Throws if Redis answers but refuses to serve; while it is away, the answer waits for it.
   */
  readonly next: (options: { readonly wait: boolean }) => Promise<TakenBatch | undefined>;
  /** Renews the locks of all batches in hand; to be called more often than every 10 s. */
  readonly renewLocks: () => Promise<void>;
  /** Ends a waiting `next`. */
  readonly wake: () => Promise<void>;
}

export interface BatchSourceOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
  readonly newBatchId: () => BatchId;
}

/** A batch whose worker died is noticed after the lock and one or two checks: 10 to 20 s. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
/** BullMQ fails a job that stalled more often. Ours are bounded by the deadline of their wakeups, not by crashes. */
const MAX_STALLED = 1_000_000;
/** Batches that were tried before go behind all fresh ones: BullMQ serves jobs without priority first. */
const RETRY_PRIORITY = 1;

/**
 * Fetches jobs by hand. BullMQ's own loop asks Redis three times for each job and once more in vain; at 1,000 small
 * batches per second that was half of what the queue costs.
 */
export async function openBatchSource(options: BatchSourceOptions): Promise<BatchSource> {
  const { redis, clock, newBatchId } = options;
  const common = { connection: redis, prefix: redisKeysOf(options.region).queuePrefix };
  const queue = new Queue(QUEUE_NAME, { ...common, skipMetasUpdate: true });
  const worker = new Worker<unknown>(QUEUE_NAME, null, {
    ...common,
    autorun: false,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLED,
    removeOnComplete: { count: 0 },
    // Only BullMQ itself can fail a job of ours; its body holds tokens.
    removeOnFail: { count: 0 },
  });
  const refusals: Error[] = [];
  // BullMQ swallows what a blocking read is told, and asks again.
  worker.on("error", (error) => {
    if (error.name === "ReplyError") refusals[0] = error;
  });
  // Whoever opened the connection tells its troubles.
  queue.on("error", () => undefined);
  await worker.waitUntilReady();
  await worker.startStalledCheckTimer();

  const inHand = new Map<string, string>();
  let taken = 0;

  const lettingGo = async (id: string, work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } finally {
      inHand.delete(id);
    }
  };

  return {
    next: async ({ wait }) => {
      taken += 1;
      const token = `${worker.id}:${taken}`;
      refusals.length = 0;
      const job: Job<unknown> | undefined = await worker.getNextJob(token, { block: wait });
      const id = job?.id;
      if (job === undefined || id === undefined) {
        const [refusal] = refusals;
        if (refusal === undefined) return;
        throw refusal;
      }
      inHand.set(id, token);
      return {
        wakeups: decodeBatch(job.data, job.stalledCounter > 0),
        finish: () => lettingGo(id, finishing(job, token)),
        postpone: (groups) => lettingGo(id, postponing(id, token, groups)),
      };
    },
    renewLocks: async () => {
      if (inHand.size > 0) await worker.extendJobLocks([...inHand.keys()], [...inHand.values()], LOCK_MS);
    },
    wake: () => worker.getBackend().disconnectBlocking(false),
    [Symbol.asyncDispose]: async () => {
      await worker.close(true);
      await queue.close();
    },
  };

  async function finishing(job: Job<unknown>, token: string): Promise<void> {
    try {
      await job.moveToCompleted(undefined, token, false);
    } catch (error) {
      // It is gone: the connection broke before the answer and the command was sent again, or somebody took it over.
      if (!(error instanceof Error) || !error.message.startsWith("Missing key")) throw error;
    }
  }

  /**
   * The largest group keeps the job; the others become jobs before it lets go of their wakeups, so that a crash in
   * between repeats and never loses. Their ids are new each time: one that existed already would swallow a group that
   * has changed since.
   */
  async function postponing(id: string, token: string, groups: readonly RetryGroup[]): Promise<void> {
    const [own, ...others] = groups;
    if (own === undefined) throw new Error("a batch without retries is finished, not postponed");
    for (const { after, wakeups } of others) {
      const jobId: string = newBatchId();
      await queue.add(JOB_NAME, encodeBatch(wakeups), { jobId, delay: after, priority: RETRY_PRIORITY });
    }
    const fieldsToUpdate = { data: JSON.stringify(encodeBatch(own.wakeups)), priority: RETRY_PRIORITY };
    const options = { skipAttempt: true, fieldsToUpdate };
    await worker.getBackend().moveToDelayed(id, clock.now(), own.after, token, options);
  }
}
