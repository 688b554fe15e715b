import { between, type Clock, millis, type Observe, seconds } from "@reveille/wakeup";

import { type QueuedWakeup } from "./batch.ts";
import { type TakenBatch } from "./batch-source.ts";
import { type Disposition, settleBatch } from "./disposition.ts";

export interface Settling {
  readonly handle: (wakeups: readonly QueuedWakeup[]) => Promise<readonly Disposition[]>;
  readonly clock: Clock;
  readonly observe: Observe;
}

const RETRY_AFTER_EXCEPTION = seconds(5);

/** Hands a batch to its handler and tells the queue what follows. Never rejects. */
export async function settling(batch: TakenBatch, { handle, clock, observe }: Settling): Promise<void> {
  const { wakeups } = batch;
  try {
    if (wakeups === undefined) {
      observe({ kind: "batch-broken" });
      await batch.finish();
      return;
    }
    const takenAt = clock.now();
    const oldest = Math.min(takenAt, ...wakeups.map(({ wakeup }) => wakeup.receivedAt));
    observe({ kind: "batch-taken", wakeups: wakeups.length, waited: millis(takenAt - oldest) });

    const settlement = settleBatch(wakeups, await dispositionsOf(wakeups), RETRY_AFTER_EXCEPTION);
    const { done, retried, givenUp, groups } = settlement;
    observe({ kind: "batch-settled", done, retried, givenUp, took: between(takenAt, clock.now()) });
    await (groups.length === 0 ? batch.finish() : batch.postpone(groups));
  } catch (error) {
    // The lock was lost, or Redis refuses: the batch comes back as a whole.
    observe({ kind: "batch-failed", because: String(error) });
  }

  async function dispositionsOf(queued: readonly QueuedWakeup[]): Promise<readonly Disposition[]> {
    try {
      return await handle(queued);
    } catch (error) {
      observe({ kind: "batch-failed", because: String(error) });
      return [];
    }
  }
}
