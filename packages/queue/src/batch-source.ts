import { type Clock, millis, QUEUE_NAME, redisKeysOf, type Region, seconds } from "@reveille/wakeup";
import { Worker } from "bullmq";
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
   * Resolves after 5 s, when a batch that was put off is due, or as soon as one may have come. Throws if Redis answers
   * but refuses to serve; while it is away, the answer waits for it.
   */
  readonly wait: () => Promise<void>;
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
/**
 * Settled batches leave the queue with the next that are taken, or after this time: at 100 batches a second most need no
 * call of their own. A worker that is killed meanwhile has their pushes made twice.
 */
const TOGETHER = millis(20);
/** A wait without batches that were put off. At its end Redis is asked: another worker may have heard of a batch and died. */
const LONGEST_WAIT_MS = 5_000;
const PAUSE_AFTER_BREAK = seconds(1);

interface ReadJob extends Pick<TakenBatch, "reading"> {
  readonly id: string;
  /** Its data as Redis has it, for one that is put back. */
  readonly text: () => string;
}

interface Ending extends Held {
  readonly settle: PromiseWithResolvers<boolean>;
}

/**
 * BullMQ's connection waits for work, and its timer brings back what stalled; batches are taken and let go by one script
 * of our own, several at once. BullMQ's own loop asks Redis three times for each job and once more in vain, and tells a
 * stream of events that nobody reads.
 */
export async function openBatchSource(options: BatchSourceOptions): Promise<BatchSource> {
  const { redis, clock, newBatchId } = options;
  const keys = redisKeysOf(options.region);
  const worker = new Worker(QUEUE_NAME, null, {
    connection: redis,
    prefix: keys.queuePrefix,
    autorun: false,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_STALLED,
  });
  // Whoever opened the connection tells its troubles.
  worker.on("error", () => undefined);
  await worker.waitUntilReady();
  const backend = worker.getBackend();
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
  let isEnding = false;
  /** When the first batch that was put off is due; 0 if there is none. */
  let nextDue = 0;
  /** When the oldest of `endings` came, and whether somebody will see to it. */
  let endingSince = millis(0);
  let isEndingSoon = false;
  const newToken = (): string => `${worker.id}:${(tokens += 1)}`;

  return {
    wait: async () => {
      try {
        await waitForBatch();
      } catch (error) {
        if (isEnding) return;
        if (error instanceof Error && error.name === "ReplyError") throw error;
        await backend.reconnectBlocking().catch(() => undefined);
        await clock.sleep(PAUSE_AFTER_BREAK);
      }
    },
    take: exchange,
    isAnyAble: async () => (await redis.exists(keys.sign("worker"))) > 0,
    isNeglected: () => isBacklogOld({ redis, queue: worker, clock }),
    renewLocks: () => scripts.renew([...inHand].map(([id, token]) => ({ id, token }))),
    wake: () => {
      isEnding = true;
      return backend.disconnectBlocking(false);
    },
    [Symbol.asyncDispose]: () => worker.close(true),
  };

  /** As BullMQ's `waitForJob` does: a marker is popped that says `now`, or when a batch that was put off is due. */
  async function waitForBatch(): Promise<void> {
    for (;;) {
      const left = nextDue === 0 ? LONGEST_WAIT_MS : Math.min(nextDue - clock.now(), LONGEST_WAIT_MS);
      if (left <= 0) return;
      const marker = await backend.waitForJob(Math.max(left / 1000, backend.minimumBlockTimeout));
      if (marker === null || marker.score <= clock.now()) return;
      nextDue = nextDue === 0 ? marker.score : Math.min(nextDue, marker.score);
    }
  }

  /** Lets go of what is settled, and takes others. */
  async function exchange(most: number): Promise<readonly TakenBatch[]> {
    const settled = endings;
    endings = [];
    const token = newToken();
    try {
      const held = settled.map(({ id, token: own }) => ({ id, token: inHand.get(id) ?? own }));
      const { lost, taken, nextDue: due = nextDue } = await scripts.exchange(held, most, token);
      nextDue = due;
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
    if (endings.length === 0) endingSince = clock.monotonic();
    endings.push({ ...held, settle });
    if (!isEndingSoon) void endSoon();
    return settle.promise;
  }

  async function endSoon(): Promise<void> {
    isEndingSoon = true;
    while (endings.length > 0) {
      const left = endingSince + TOGETHER - clock.monotonic();
      if (left > 0) await clock.sleep(millis(Math.ceil(left)));
      // Whoever waits for an ending hears of what went wrong.
      else await exchange(0).catch(() => undefined);
    }
    isEndingSoon = false;
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
