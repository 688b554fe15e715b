import { type Clock, type Observe, seconds } from "@reveille/wakeup";
import { type Worker } from "bullmq";

import { isRefusal } from "./redis-trouble.ts";

/** Time between two questions to a Redis that refuses everything; also how long it must behave to be trusted. */
const PAUSE = seconds(1);

export interface RefusalGuard {
  /** Why nothing can be taken from the queue now. */
  readonly refusal: () => string | undefined;
}

/**
 * Makes a worker pause while Redis refuses its scripts (full, read-only, without replicas). BullMQ would ask again at
 * once, thousands of times per second (OptimalBits/bull issue 1304).
 */
export function pauseOnRefusal(
  worker: Worker<unknown>,
  { clock, observe, stop }: { readonly clock: Clock; readonly observe: Observe; readonly stop: AbortSignal },
): RefusalGuard {
  let newest: string | undefined;
  let pausing = false;
  let refusedAgain = new AbortController();
  worker.on("error", (error) => {
    if (!isRefusal(error)) return;
    newest = error.message;
    refusedAgain.abort();
    if (!pausing) void pauseWhileRefused(error.message);
  });

  async function pauseWhileRefused(because: string): Promise<void> {
    pausing = true;
    observe({ kind: "redis-trouble", connection: "worker", because });
    while (newest !== undefined) {
      await worker.pause(true);
      await clock.sleep(PAUSE, stop);
      if (stop.aborted) return;
      newest = undefined;
      refusedAgain = new AbortController();
      await worker.resume();
      await clock.sleep(PAUSE, AbortSignal.any([refusedAgain.signal, stop]));
    }
    pausing = false;
    observe({ kind: "redis-recovered", connection: "worker" });
  }

  return { refusal: () => (pausing ? (newest ?? "Redis refused to serve a moment ago") : undefined) };
}
