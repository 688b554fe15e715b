import { epochMillis, type Wakeup } from "@reveille/wakeup";

/**
 * The wakeups of a micro-batch that leave now, each standing for the others of its device (`merged` into it): received
 * with the newest of them, since an earlier push covers only what was received before it, and urgent if one of them is.
 */
export function withRiders(leaving: readonly Wakeup[], merged: readonly Wakeup[]): readonly Wakeup[] {
  if (merged.length === 0) return leaving;
  const riders = new Map<string, Wakeup>();
  for (const wakeup of merged) {
    const key = deviceOf(wakeup);
    const known = riders.get(key);
    riders.set(key, known === undefined ? wakeup : joined(known, wakeup));
  }
  return leaving.map((wakeup) => {
    const rider = riders.get(deviceOf(wakeup));
    return rider === undefined ? wakeup : joined(wakeup, rider);
  });
}

const deviceOf = ({ token, module }: Wakeup): string => `${token} ${module}`;

const joined = (one: Wakeup, other: Wakeup): Wakeup => ({
  ...one,
  urgent: one.urgent || other.urgent,
  receivedAt: epochMillis(Math.max(one.receivedAt, other.receivedAt)),
});
