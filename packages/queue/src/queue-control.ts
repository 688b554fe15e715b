import { type Clock, QUEUE_NAME, redisKeysOf, type Region } from "@reveille/wakeup";
import { Queue } from "bullmq";
import { type Redis } from "ioredis";

import { countsOf, type QueueCounts } from "./counts.ts";
import { discardBatches } from "./discard.ts";

export interface QueueStatus extends QueueCounts {
  readonly paused: boolean;
}

/** An operator's hand on the queue. Disposing it leaves the connection open; each call throws what Redis throws. */
export interface QueueControl extends AsyncDisposable {
  readonly status: () => Promise<QueueStatus>;
  /** Workers take no new batch until `resume`; wakeups are accepted meanwhile, and their deadlines run. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /**
   * Throws away every batch that was there when it was called and that no worker takes meanwhile, in steps between which
   * Redis serves others. Gives how many there were.
   */
  readonly discard: () => Promise<number>;
}

export async function openQueueControl(options: {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
}): Promise<QueueControl> {
  const { redis, clock } = options;
  const prefix = redisKeysOf(options.region).queuePrefix;
  const queue = new Queue(QUEUE_NAME, { connection: redis, prefix, skipMetasUpdate: true });
  // Whoever opened the connection tells its troubles.
  queue.on("error", () => undefined);
  await queue.waitUntilReady();
  const counts = (): Promise<QueueCounts> => countsOf({ redis, queue, clock });

  return {
    status: async () => ({ ...(await counts()), paused: await queue.isPaused() }),
    pause: () => queue.pause(),
    resume: () => queue.resume(),
    discard: async () => {
      const { waiting, retrying, delayed } = await counts();
      return discardBatches(redis, queue.toKey, waiting + retrying + delayed);
    },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}
