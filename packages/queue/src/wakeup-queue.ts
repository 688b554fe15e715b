import { type Millis, QUEUE_NAME, redisKeysOf, type Region, type Wakeup } from "@reveille/wakeup";
import { Queue } from "bullmq";

import { addJob } from "./add-job.ts";
import { encodeBatch, MOST_PER_BATCH } from "./batch.ts";
import { type BatchId, batchIds } from "./batch-id.ts";
import { countsOf, type QueueCounts } from "./counts.ts";
import { replicateBy, type ReplicationOptions } from "./replicate.ts";
import { oldestBatches, watchBacklog } from "./waiting-age.ts";

/** The side that puts wakeups into the queue. Disposing it leaves the Redis connection open. */
export interface WakeupQueue extends AsyncDisposable {
  /**
   * Resolves once the wakeups are in Redis (and, with `waitReplicas`, in its replicas): they are accepted then. Throws
   * within a second otherwise; they may be in the queue nevertheless, and repeating the call with the same `id` does
   * not put them there twice.
   */
  readonly add: (wakeups: readonly Wakeup[], id?: BatchId) => Promise<void>;
  /**
   * Resolves once all that was written by this connection is in the replicas, as many as `waitReplicas`; at once without
   * them. `add` includes it. Throws what Redis throws.
   */
  readonly replicate: () => Promise<void>;
  /** An id for `add`, if the caller wants to repeat it. */
  readonly newBatchId: () => BatchId;
  readonly counts: () => Promise<QueueCounts>;
  /** How the region's queue stands for a new batch; cheaper than `counts`. */
  readonly standing: () => Promise<QueueStanding>;
}

export interface QueueStanding {
  /** By an operator. */
  readonly paused: boolean;
  /** Age of the oldest waiting batch; 0 if none waits. */
  readonly oldestWaiting: Millis;
}

export interface WakeupQueueOptions extends ReplicationOptions {
  readonly region: Region;
  /** Name of this host; part of the batch ids. */
  readonly node: string;
}

export async function openWakeupQueue(options: WakeupQueueOptions): Promise<WakeupQueue> {
  const { redis, clock } = options;
  const newBatchId = batchIds(options.node);
  const queue = new Queue(QUEUE_NAME, {
    connection: redis,
    prefix: redisKeysOf(options.region).queuePrefix,
    streams: { events: { maxLen: 100 } },
  });
  // Whoever opened the connection tells its troubles.
  queue.on("error", () => undefined);
  await queue.waitUntilReady();

  const backlog = watchBacklog({ redis, queue, clock });

  const addBatch = async (wakeups: readonly Wakeup[], jobId: string): Promise<void> => {
    const overtakes = backlog.isOld();
    const queued = wakeups.map((wakeup) => ({ wakeup, attempt: 1 }));
    const data = JSON.stringify(encodeBatch(queued, { overtakes }));
    await addJob(redis, queue.toKey, { id: jobId, data, now: clock.now(), isFirst: overtakes });
  };

  const replicate = replicateBy(options);

  return {
    newBatchId,
    replicate,
    add: async (wakeups, id = newBatchId()) => {
      for (let from = 0; from < wakeups.length; from += MOST_PER_BATCH) {
        const part = from === 0 ? id : `${id}-${from}`;
        await addBatch(wakeups.slice(from, from + MOST_PER_BATCH), part);
      }
      if (wakeups.length > 0) await replicate();
    },
    counts: () => countsOf({ redis, queue, clock }),
    standing: async () => {
      const [paused, oldest] = await Promise.all([queue.isPaused(), oldestBatches({ redis, queue, clock })]);
      return { paused, oldestWaiting: oldest.waiting };
    },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}
