import { type Clock, millis, QUEUE_NAME, redisKeysOf, type Region } from "@reveille/wakeup";
import { type Job, type JobJson, Worker } from "bullmq";
import { type Redis } from "ioredis";

import { JOB_NAME } from "./add-job.ts";
import { type BatchReading, decodeBatch, encodeBatch } from "./batch.ts";
import { type BatchId } from "./batch-id.ts";
import { type RetryGroup } from "./disposition.ts";
import { type Held, queueScripts, type StoredJob } from "./queue-scripts.ts";
import { isBacklogOld } from "./waiting-age.ts";

/**
 * A batch in the hand of this process, under a lock that others respect. Its calls throw what Redis throws, and may be
 * repeated then; they give false if the lock was lost and somebody else has the batch.
 */
export interface TakenBatch {
  readonly reading: BatchReading;
  /** All its wakeups are settled. */
  readonly finish: () => Promise<boolean>;
  /** So many are to be tried again, at least one. */
  readonly postpone: (groups: readonly RetryGroup[]) => Promise<boolean>;
  /** Puts it back as it is, to be tried again after so long. */
  readonly leave: (after: number) => Promise<boolean>;
}

/** The queue as one worker sees it. */
export interface BatchSource extends AsyncDisposable {
  /**
   * A batch, after 5 s or whenever one may have come; `undefined` if there is none then. Throws if Redis answers but
   * refuses to serve; while it is away, the answer waits for it.
   */
  readonly wait: () => Promise<TakenBatch | undefined>;
  /** So many batches at most, as far as there are any. Throws as `wait` does. */
  readonly take: (most: number) => Promise<readonly TakenBatch[]>;
  /** Whether some worker of the region has said of late that it can send. Throws what Redis throws. */
  readonly isAnyAble: () => Promise<boolean>;
  /** Whether a batch has been waiting so long that those who can send don't seem to take it. Throws what Redis throws. */
  readonly isNeglected: () => Promise<boolean>;
  /** Renews the locks of all batches in hand; to be called more often than every 10 s. */
  readonly renewLocks: () => Promise<void>;
  /** Ends a `wait`. */
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
/** Batches that are settled within this time leave the queue together, or with the next that are taken. */
const TOGETHER = millis(3);

interface ReadJob extends Pick<TakenBatch, "reading"> {
  readonly id: string;
  /** Its data as Redis has it, for one that is put back. */
  readonly text: () => string;
}

interface Ending extends Held {
  readonly settle: PromiseWithResolvers<boolean>;
}

/**
 * BullMQ waits for work and brings back what stalled; batches are taken and let go by scripts of our own, several at
 * once. BullMQ's own loop asks Redis three times for each job and once more in vain, and tells a stream of events that
 * nobody reads.
 */
export async function openBatchSource(options: BatchSourceOptions): Promise<BatchSource> {
  const { redis, clock, newBatchId } = options;
  const keys = redisKeysOf(options.region);
  const worker = new TolerantWorker(QUEUE_NAME, null, {
    connection: redis,
    prefix: keys.queuePrefix,
    autorun: false,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLED,
  });
  const refusals: Error[] = [];
  // BullMQ swallows what a blocking read is told, and asks again.
  worker.on("error", (error) => {
    if (error.name === "ReplyError") refusals[0] = error;
  });
  await worker.waitUntilReady();
  await worker.startStalledCheckTimer();
  const scripts = queueScripts({
    redis,
    toKey: worker.toKey,
    now: clock.now,
    lockMs: LOCK_MS,
    jobName: JOB_NAME,
    retryPriority: RETRY_PRIORITY,
  });

  /** Token by id of the batches in hand. */
  const inHand = new Map<string, string>();
  let endings: Ending[] = [];
  let tokens = 0;
  const newToken = (): string => `${worker.id}:${(tokens += 1)}`;

  return {
    wait: async () => {
      const token = newToken();
      refusals.length = 0;
      const job = await worker.getNextJob(token, { block: true });
      if (job?.id !== undefined) {
        const { id, data, stalledCounter } = job;
        const text = (): string => JSON.stringify(data);
        return inOurHands([{ id, reading: decodeBatch(data, stalledCounter > 0), text }], token)[0];
      }
      const [refusal] = refusals;
      if (refusal !== undefined) throw refusal;
      return undefined;
    },
    take: exchange,
    isAnyAble: async () => (await redis.exists(keys.sign("worker"))) > 0,
    isNeglected: () => isBacklogOld({ redis, queue: worker, clock }),
    renewLocks: () => scripts.renew([...inHand].map(([id, token]) => ({ id, token }))),
    wake: () => worker.getBackend().disconnectBlocking(false),
    [Symbol.asyncDispose]: () => worker.close(true),
  };

  /** Lets go of what is settled, and takes others. */
  async function exchange(most: number): Promise<readonly TakenBatch[]> {
    const settled = endings;
    endings = [];
    const token = newToken();
    try {
      const held = settled.map(({ id, token: own }) => ({ id, token: inHand.get(id) ?? own }));
      const { lost, taken } = await scripts.exchange(held, most, token);
      for (const { id, settle } of settled) {
        inHand.delete(id);
        settle.resolve(!lost.has(id));
      }
      return inOurHands(taken.map(readJob), token);
    } catch (error) {
      for (const { settle } of settled) settle.reject(error);
      throw error;
    }
  }

  /**
   * A batch that ran out of its lock while it is still worked on here may come again: it goes on under its new lock, and
   * nothing of it is sent twice.
   */
  function inOurHands(jobs: readonly ReadJob[], token: string): readonly TakenBatch[] {
    const unknown = jobs.filter(({ id }) => !inHand.has(id));
    for (const { id } of jobs) inHand.set(id, token);
    return unknown.map((job) => takenBatch(job, token));
  }

  function takenBatch({ id, reading, text }: ReadJob, token: string): TakenBatch {
    // Named once, so that a repeated call doesn't make others.
    const ids: string[] = [id];
    const postponed = async (groups: readonly { after: number; data: string }[]): Promise<boolean> => {
      const [own, ...others] = groups.map((group, index) => {
        const name = (ids[index] ??= newBatchId());
        return { id: name, delay: group.after, data: group.data };
      });
      if (own === undefined) throw new Error("a batch without retries is finished, not postponed");
      const isOurs = await scripts.postpone(inHand.get(id) ?? token, own, others);
      inHand.delete(id);
      return isOurs;
    };
    return {
      reading,
      finish: () => ending({ id, token }),
      postpone: (groups) =>
        postponed(
          groups.map(({ after, wakeups }) => ({ after, data: JSON.stringify(encodeBatch(wakeups)) })),
        ),
      leave: (after) => postponed([{ after, data: text() }]),
    };
  }

  function ending(held: Held): Promise<boolean> {
    const settle = Promise.withResolvers<boolean>();
    endings.push({ ...held, settle });
    if (endings.length === 1) void endSoon();
    return settle.promise;
  }

  async function endSoon(): Promise<void> {
    await clock.sleep(TOGETHER);
    // Whoever waits for an ending hears of what went wrong.
    if (endings.length > 0) await exchange(0).catch(() => undefined);
  }
}

/** BullMQ's, which throws at a job whose data is no JSON and leaves it in hand: it would stall again and again. */
class TolerantWorker extends Worker<unknown> {
  protected override createJob(json: JobJson, id: string): Job<unknown> {
    try {
      return super.createJob(json, id);
    } catch (error) {
      if (error instanceof SyntaxError) return super.createJob({ ...json, data: "null" }, id);
      throw error;
    }
  }
}

const readJob = ({ id, data, stalls }: StoredJob): ReadJob => ({
  id,
  reading: decodeBatch(parseJson(data), stalls > 0),
  text: () => data,
});

/** `undefined` for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
