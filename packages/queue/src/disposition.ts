import { type Millis, millis } from "@reveille/wakeup";

import { type QueuedWakeup } from "./batch.ts";

/** What becomes of a wakeup after an attempt. `reason` is text for logs. */
export type Disposition =
  | { readonly kind: "done" }
  /** `tried: false`: it was put off without an attempt, which does not count as one. */
  | { readonly kind: "retry"; readonly after: Millis; readonly tried?: false }
  | { readonly kind: "give-up"; readonly reason: string };

/** Wakeups that are tried again together. */
export interface RetryGroup {
  readonly after: Millis;
  readonly wakeups: readonly QueuedWakeup[];
}

export interface Settlement {
  readonly done: number;
  readonly givenUp: number;
  readonly retried: number;
  /** Largest group first: the job keeps it, the others become jobs of their own. */
  readonly groups: readonly RetryGroup[];
}

/** Delays this close together share a job; each wakeup waits at least as long as was asked for it. */
const CLOSE = 0.75;

/** `dispositions[i]` is what becomes of `queued[i]`; one that is missing counts as `retry` with the given delay. */
export function settleBatch(
  queued: readonly QueuedWakeup[],
  dispositions: readonly Disposition[],
  retryUnanswered: Millis,
): Settlement {
  const retries: { readonly after: Millis; readonly wakeup: QueuedWakeup }[] = [];
  let [done, givenUp] = [0, 0];
  for (const [index, wakeup] of queued.entries()) {
    const disposition = dispositions[index] ?? { kind: "retry", after: retryUnanswered };
    switch (disposition.kind) {
      case "done":
        done += 1;
        break;
      case "give-up":
        givenUp += 1;
        break;
      case "retry":
        retries.push({
          after: disposition.after,
          wakeup: { ...wakeup, attempt: wakeup.attempt + (disposition.tried === false ? 0 : 1) },
        });
        break;
    }
  }
  const groups: { after: Millis; wakeups: QueuedWakeup[] }[] = [];
  for (const { after, wakeup } of retries.toSorted((one, other) => other.after - one.after)) {
    const group = groups.at(-1);
    if (group !== undefined && after >= group.after * CLOSE) group.wakeups.push(wakeup);
    else groups.push({ after: millis(Math.ceil(after)), wakeups: [wakeup] });
  }
  groups.sort((one, other) => other.wakeups.length - one.wakeups.length);
  return { done, givenUp, retried: retries.length, groups };
}
