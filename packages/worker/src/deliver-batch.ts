import { type Backlog, type Clearance, type SettledPush } from "@reveille/admission";
import { type Disposition, type QueuedWakeup } from "@reveille/queue";
import {
  between,
  type EpochMillis,
  millis,
  minutes,
  type Observe,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";

import { type Attempt, deliver, type Delivery } from "./deliver.ts";

/** What the delivery of a batch needs. */
export interface BatchDelivery extends Delivery {
  readonly backlog: Backlog;
}

/** A wakeup that waited so long in the queue has others of its device behind it. */
const LATE = seconds(5);
/** Beyond the batch that showed a backlog, and beyond the retry of what was put off. */
const BACKLOG_LASTS = minutes(1);

const UNSETTLED: Attempt = { disposition: { kind: "retry", after: seconds(5) }, accepted: false };
const GO: Clearance = { kind: "go" };

/**
 * Sends the wakeups of a batch; gives one disposition for each, in the same order. During a backlog every push is
 * cleared first, so that a device gets one push for all that waited, and none for what a later push has covered.
 * Rejects, with nothing sent, when Redis is away.
 */
export async function deliverBatch(
  queued: readonly QueuedWakeup[],
  delivery: BatchDelivery,
): Promise<readonly Disposition[]> {
  const clearances = await clear(queued, delivery);
  const clearanceOf = (index: number): Clearance => clearances?.[index] ?? GO;
  const attempts = await Promise.all(
    queued.map(async (each, index) =>
      clearanceOf(index).kind === "go"
        ? deliver(each, delivery).catch((error: unknown) => unsettled(error, delivery.observe))
        : undefined,
    ),
  );
  const pushes = queued.flatMap(({ wakeup }, index): readonly SettledPush[] => {
    const attempt = attempts[index];
    return attempt === undefined ? [] : [{ wakeup, accepted: attempt.accepted }];
  });
  const accepted = new Set(pushes.filter((push) => push.accepted).map(({ wakeup }) => deviceOf(wakeup)));
  const dispositions = queued.map(({ wakeup }, index): Disposition => {
    const clearance = clearanceOf(index);
    // Of several wakeups of a device the newest goes, so its push covers the others.
    if (clearance.kind === "covered" || (clearance.kind === "later" && accepted.has(deviceOf(wakeup)))) {
      delivery.observe({ kind: "wakeup-dropped", wakeup, because: "covered" });
      return { kind: "done" };
    }
    if (clearance.kind === "later") return { kind: "retry", after: clearance.after };
    return attempts[index]?.disposition ?? UNSETTLED.disposition;
  });
  await remember(dispositions, clearances === undefined ? [] : pushes, delivery);
  return dispositions;
}

/** Redis went away between the push and the note about its outcome: that wakeup alone is sent again. */
function unsettled(error: unknown, observe: Observe): Attempt {
  observe({ kind: "batch-failed", because: String(error) });
  return UNSETTLED;
}

const deviceOf = ({ token, module }: Wakeup): string => `${token} ${module}`;

/** `undefined`: no backlog, everything may go. */
async function clear(
  queued: readonly QueuedWakeup[],
  { backlog, clock }: BatchDelivery,
): Promise<readonly Clearance[] | undefined> {
  const now = clock.now();
  if (queued.some((each) => isLate(each, now))) await backlog.expect(BACKLOG_LASTS);
  return (await backlog.lasts()) ? backlog.clear(queued.map(({ wakeup }) => wakeup)) : undefined;
}

const isLate = ({ wakeup, attempt, again }: QueuedWakeup, now: EpochMillis): boolean =>
  again || attempt > 1 || between(wakeup.receivedAt, now) > LATE;

async function remember(
  dispositions: readonly Disposition[],
  pushed: readonly SettledPush[],
  { backlog, observe }: BatchDelivery,
): Promise<void> {
  const longest = Math.max(0, ...dispositions.map((each) => (each.kind === "retry" ? each.after : 0)));
  try {
    await backlog.settle(pushed);
    if (longest > 0) await backlog.expect(millis(longest + BACKLOG_LASTS));
  } catch (error) {
    // Redis is away. The pushes are made all the same; what is not remembered costs their devices 15 s or another push.
    observe({ kind: "batch-failed", because: String(error) });
  }
}
