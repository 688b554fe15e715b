import { type Disposition, type QueuedWakeup } from "@reveille/queue";
import { type Wakeup } from "@reveille/wakeup";

/**
 * Which wakeups of a batch need no second attempt, by index: a newer one of their device is to be tried again, and its
 * push will serve them. An urgent one is only served by an urgent one.
 */
export function servedByNewer(
  queued: readonly QueuedWakeup[],
  dispositions: readonly Disposition[],
): ReadonlySet<number> {
  const newest = new Map<string, number>();
  const served = new Set<number>();
  for (const [index, { wakeup }] of queued.entries()) {
    if (dispositions[index]?.kind !== "retry") continue;
    const device = `${wakeup.token} ${wakeup.module}`;
    const before = newest.get(device);
    const known = before === undefined ? undefined : queued[before]?.wakeup;
    if (before === undefined || known === undefined || serves(wakeup, known)) {
      if (before !== undefined) served.add(before);
      newest.set(device, index);
    } else if (serves(known, wakeup)) served.add(index);
  }
  return served;
}

const serves = (one: Wakeup, other: Wakeup): boolean =>
  one.receivedAt >= other.receivedAt && (one.urgent || !other.urgent);
