import { type Millis } from "@reveille/wakeup";
import { type Queue } from "bullmq";

import { oldestBatches, type WaitingAgeOptions } from "./waiting-age.ts";

/** Batches in the queue, by state. */
export interface QueueCounts {
  readonly waiting: number;
  /** Tried before, and waiting until nothing else is. */
  readonly retrying: number;
  /** Tried before, and not yet to be tried again. */
  readonly delayed: number;
  readonly active: number;
  /** Age of the oldest waiting batch; 0 if none waits. */
  readonly oldestWaiting: Millis;
  /** Age of the oldest batch in any state; 0 if there is none. */
  readonly oldest: Millis;
}

/** Asks Redis five times, all of them cheap whatever the number of batches. */
export async function countsOf(
  options: WaitingAgeOptions & { readonly queue: Pick<Queue, "getJobCounts"> },
): Promise<QueueCounts> {
  const [{ waiting, prioritized, delayed, active }, oldest] = await Promise.all([
    options.queue.getJobCounts("waiting", "prioritized", "delayed", "active"),
    oldestBatches(options),
  ]);
  return {
    waiting: waiting ?? 0,
    retrying: prioritized ?? 0,
    delayed: delayed ?? 0,
    active: active ?? 0,
    oldestWaiting: oldest.waiting,
    oldest: oldest.any,
  };
}
