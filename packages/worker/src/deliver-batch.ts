import { type Backlog, type Clearance } from "@reveille/admission";
import { type Disposition, type QueuedWakeup } from "@reveille/queue";
import {
  failureReason,
  between,
  type EpochMillis,
  millis,
  minutes,
  type Observe,
  type PushModule,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";

import { type Attempt, deliver, type Delivery } from "./deliver.ts";
import { type Lateness } from "./lateness.ts";
import { type Settlements } from "./settlements.ts";
import { servedByNewer } from "./stand-in.ts";

/** What the delivery of a batch needs. */
export interface BatchDelivery extends Delivery {
  readonly backlog: Backlog;
  readonly lateness: Lateness;
  readonly settlements: Settlements;
}

/** A wakeup that waited so long in the queue, or was put in front of such, has others of its device behind it. */
const LATE = seconds(5);
/** Beyond the batch that showed a backlog, and beyond the retry of what was put off. */
const BACKLOG_LASTS = minutes(1);

const UNSETTLED: Attempt = { disposition: { kind: "retry", after: seconds(5) }, accepted: false };

/**
 * Sends the wakeups of a batch; gives one disposition for each, in the same order. During a backlog, and in a batch whose
 * worker died, every push is cleared first and settled after, so that a device gets one push for all that waited, and
 * none for what a later push has covered. Rejects, with nothing sent, when Redis is away.
 */
export async function deliverBatch(
  queued: readonly QueuedWakeup[],
  delivery: BatchDelivery,
): Promise<readonly Disposition[]> {
  const clearances = await clear(queued, delivery);
  const attempts = await Promise.all(
    queued.map(async (each, index) => attempt(each, clearances.get(index), delivery)),
  );
  const accepted = new Set(
    queued.flatMap(({ wakeup }, index) => (attempts[index]?.accepted === true ? [deviceOf(wakeup)] : [])),
  );
  const dispositions = queued.map(({ wakeup }, index): Disposition => {
    const clearance = clearances.get(index);
    // Of several wakeups of a device the newest goes, so its push covers the others.
    if (clearance?.kind === "covered" || (clearance?.kind === "later" && accepted.has(deviceOf(wakeup)))) {
      delivery.observe({ kind: "wakeup-dropped", wakeup, because: "covered" });
      return { kind: "done" };
    }
    if (clearance?.kind === "later") return { kind: "retry", after: clearance.after, tried: false };
    return attempts[index]?.disposition ?? UNSETTLED.disposition;
  });
  for (const index of servedByNewer(queued, dispositions)) {
    const wakeup = queued[index]?.wakeup;
    if (wakeup !== undefined) delivery.observe({ kind: "wakeup-dropped", wakeup, because: "covered" });
    dispositions[index] = { kind: "done" };
  }
  await expectPutOff(queued, dispositions, delivery);
  return dispositions;
}

/** `undefined` if it is not told to go. */
async function attempt(
  each: QueuedWakeup,
  clearance: Clearance | undefined,
  delivery: BatchDelivery,
): Promise<Attempt | undefined> {
  if (clearance === undefined) return sent(each, delivery);
  if (clearance.kind !== "go") return undefined;
  const { clearedAt, urgent } = clearance;
  const wakeup = urgent ? { ...each.wakeup, urgent } : each.wakeup;
  const attempted = await sent({ ...each, wakeup }, delivery);
  await delivery.settlements.note({ wakeup, clearedAt, accepted: attempted.accepted });
  return attempted;
}

const sent = async (each: QueuedWakeup, delivery: BatchDelivery): Promise<Attempt> =>
  deliver(each, delivery).catch((error: unknown) => unsettled(error, delivery.observe));

/** Redis went away between the push and the note about its outcome: that wakeup alone is sent again. */
function unsettled(error: unknown, observe: Observe): Attempt {
  observe({ kind: "batch-failed", because: failureReason(error) });
  return UNSETTLED;
}

const deviceOf = ({ token, module }: Wakeup): string => `${token} ${module}`;

/** By index in the batch; wakeups of modules without a backlog need none, unless a worker that died may have sent them. */
async function clear(
  queued: readonly QueuedWakeup[],
  { backlog, lateness, clock }: BatchDelivery,
): Promise<ReadonlyMap<number, Clearance>> {
  const now = clock.now();
  const indexes: number[] = [];
  for (const [module, own] of byModule(queued)) {
    const late = own.filter((index) => isLate(queued[index], now)).length;
    if (lateness.note(module, late, own.length)) await backlog.expect(module, BACKLOG_LASTS);
    const lasts = await backlog.lasts(module);
    indexes.push(...own.filter((index) => lasts || queued[index]?.again === true));
  }
  if (indexes.length === 0) return new Map();
  const clearances = await backlog.clear(
    indexes.flatMap((index) => {
      const each = queued[index];
      return each === undefined ? [] : [each.wakeup];
    }),
  );
  return new Map(clearances.map((clearance, position) => [indexes[position] ?? -1, clearance]));
}

function byModule(queued: readonly QueuedWakeup[]): ReadonlyMap<PushModule, number[]> {
  const modules = new Map<PushModule, number[]>();
  for (const [index, { wakeup }] of queued.entries()) {
    const own = modules.get(wakeup.module);
    if (own === undefined) modules.set(wakeup.module, [index]);
    else own.push(index);
  }
  return modules;
}

const isLate = (each: QueuedWakeup | undefined, now: EpochMillis): boolean =>
  each !== undefined && (each.attempt > 1 || each.overtakes || between(each.wakeup.receivedAt, now) > LATE);

/**
 * What was put off keeps its module's backlog going until it has been tried again. Not what waits a moment for its window: a
 * trailing push leaves a window after the last one left, which is a moment before that one was accepted, and so a
 * backlog would keep itself going for ever.
 */
async function expectPutOff(
  queued: readonly QueuedWakeup[],
  dispositions: readonly Disposition[],
  { backlog, lateness, observe }: BatchDelivery,
): Promise<void> {
  const putOff = new Map<PushModule, { count: number; longest: number }>();
  for (const [index, disposition] of dispositions.entries()) {
    const module = queued[index]?.wakeup.module;
    if (disposition.kind !== "retry" || module === undefined) continue;
    if (disposition.tried === false && disposition.after < LATE) continue;
    const { count, longest } = putOff.get(module) ?? { count: 0, longest: 0 };
    putOff.set(module, { count: count + 1, longest: Math.max(longest, disposition.after) });
  }
  try {
    for (const [module, { count, longest }] of putOff) {
      if (lateness.note(module, count, 0)) await backlog.expect(module, millis(longest + BACKLOG_LASTS));
    }
  } catch (error) {
    // Redis is away. The pushes are made all the same; a backlog that is forgotten costs some devices another push.
    observe({ kind: "batch-failed", because: failureReason(error) });
  }
}
