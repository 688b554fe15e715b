import { failureReason, between, type Clock, millis, type Observe, seconds } from "@reveille/wakeup";

import { type QueuedWakeup } from "./batch.ts";
import { type TakenBatch } from "./batch-source.ts";
import { type Disposition, settleBatch } from "./disposition.ts";

export interface Settling {
  readonly handle: (wakeups: readonly QueuedWakeup[]) => Promise<readonly Disposition[]>;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Aborts when nobody waits for batches in hand any longer. */
  readonly abandoned: AbortSignal;
}

const RETRY_AFTER_EXCEPTION = seconds(5);
/** A worker of a newer version takes a batch that is its own within this time, if there is one. */
const LEAVE_NEWER_FOR = seconds(10);
/** Between two attempts to tell the queue what became of a batch. */
const TELL_AGAIN_AFTER = seconds(1);

/** Hands a batch to its handler and tells the queue what follows. Never rejects. */
export async function settling(batch: TakenBatch, settling: Settling): Promise<void> {
  const { observe } = settling;
  const { reading } = batch;
  switch (reading.kind) {
    case "newer":
      observe({ kind: "batch-newer" });
      return tell(() => batch.leave(LEAVE_NEWER_FOR), settling);
    case "broken":
      observe({ kind: "batch-broken" });
      return tell(batch.finish, settling);
    case "wakeups":
      if (reading.broken > 0) observe({ kind: "batch-broken", wakeups: reading.broken });
      return tell(await handled(batch, reading.queued, settling), settling);
  }
}

/** Gives what the queue is to be told. */
async function handled(
  batch: TakenBatch,
  queued: readonly QueuedWakeup[],
  { handle, clock, observe }: Settling,
): Promise<() => Promise<boolean>> {
  const takenAt = clock.now();
  const oldest = queued.reduce((least, { wakeup }) => Math.min(least, wakeup.receivedAt), Number(takenAt));
  observe({ kind: "batch-taken", wakeups: queued.length, waited: millis(takenAt - oldest) });
  let dispositions: readonly Disposition[] = [];
  try {
    dispositions = await handle(queued);
  } catch (error) {
    observe({ kind: "batch-failed", because: failureReason(error) });
  }
  const { done, retried, givenUp, groups } = settleBatch(queued, dispositions, RETRY_AFTER_EXCEPTION);
  observe({ kind: "batch-settled", done, retried, givenUp, took: between(takenAt, clock.now()) });
  return () => (groups.length === 0 ? batch.finish() : batch.postpone(groups));
}

/**
 * Until the queue has heard it, however long Redis refuses or is away: a batch that was let go of would run again as a
 * whole, though its pushes are made.
 */
async function tell(outcome: () => Promise<boolean>, { clock, observe, abandoned }: Settling): Promise<void> {
  let isTold = false;
  while (!abandoned.aborted) {
    try {
      const isOurs = await outcome();
      if (!isOurs) observe({ kind: "batch-failed", because: "another worker has taken it over" });
      return;
    } catch (error) {
      if (!isTold) observe({ kind: "batch-failed", because: failureReason(error) });
      isTold = true;
      await clock.sleep(TELL_AGAIN_AFTER, abandoned);
    }
  }
}
