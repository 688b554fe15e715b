import { type Trailing } from "@reveille/admission";
import { type WakeupQueue } from "@reveille/queue";
import { failureReason, type Clock, type Millis, millis, type Observe, seconds } from "@reveille/wakeup";

/** Those that become due within this time leave together. */
const TICK = millis(100);
/** How late a trailing push may be that was scheduled to leave so soon: others leave when they are due. */
const LONGEST_SLEEP = millis(500);
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
      const { moved, next } = await pumpOnce(trailing, queue);
      if (inTrouble) observe({ kind: "redis-recovered", connection: "pump" });
      inTrouble = false;
      if (moved > 0) observe({ kind: "trailing-pumped", wakeups: moved });
      if (next > 0) await clock.sleep(next, signal);
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
  /** When to look again; at once if more are due already. */
  readonly next: Millis;
}

async function pumpOnce(trailing: Trailing, queue: Pick<WakeupQueue, "add">): Promise<Pumped> {
  const claim = await trailing.claim(BATCH);
  if (claim.wakeups.length === 0) {
    return { moved: 0, next: millis(Math.min(claim.nextDueIn ?? LONGEST_SLEEP, LONGEST_SLEEP)) };
  }
  await queue.add(claim.wakeups);
  await claim.confirm();
  return { moved: claim.wakeups.length, next: claim.more ? millis(0) : TICK };
}
