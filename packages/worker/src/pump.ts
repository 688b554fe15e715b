import { type Trailing } from "@reveille/admission";
import { type WakeupQueue } from "@reveille/queue";
import { failureReason, type Clock, millis, type Observe, seconds } from "@reveille/wakeup";

/** How late a trailing push may be because nobody looked. */
const TICK = millis(100);
const PAUSE_AFTER_TROUBLE = seconds(1);
/** The most a batch holds: what may run twice after a crash. */
const BATCH = 128;

export interface Pump {
  readonly trailing: Trailing;
  readonly queue: Pick<WakeupQueue, "add">;
  readonly clock: Clock;
  readonly observe: Observe;
}

/**
 * Moves trailing pushes whose time has come into the queue until `signal` aborts. Every worker runs one: claims
 * are leased, so what a killed worker had claimed comes back, and nothing is claimed twice at a time.
 */
export async function pumpTrailing(
  { trailing, queue, clock, observe }: Pump,
  signal: AbortSignal,
): Promise<void> {
  let inTrouble = false;
  while (!signal.aborted) {
    try {
      const { moved, more } = await pumpOnce(trailing, queue);
      if (inTrouble) observe({ kind: "redis-recovered", connection: "pump" });
      inTrouble = false;
      if (moved > 0) observe({ kind: "trailing-pumped", wakeups: moved });
      if (!more) await clock.sleep(TICK, signal);
    } catch (error) {
      // Redis is away. What was claimed comes back when its lease ends.
      if (!inTrouble) observe({ kind: "redis-trouble", connection: "pump", because: failureReason(error) });
      inTrouble = true;
      await clock.sleep(PAUSE_AFTER_TROUBLE, signal);
    }
  }
}

interface Pumped {
  readonly moved: number;
  /** More are due already. */
  readonly more: boolean;
}

async function pumpOnce(trailing: Trailing, queue: Pick<WakeupQueue, "add">): Promise<Pumped> {
  const claim = await trailing.claim(BATCH);
  if (claim === undefined) return { moved: 0, more: false };
  await queue.add(claim.wakeups);
  await claim.confirm();
  return { moved: claim.wakeups.length, more: claim.more };
}
