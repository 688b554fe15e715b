import { type Arrival, answersOf, isAccepted, lostOf, unpushedOf } from "../durability/findings.ts";
import { type Sent } from "../durability/publishing.ts";
import { type SenderKind } from "./machines.ts";

/** A push later than this after its publish shows trouble. */
const LATE_MS = 1_000;

/** How a region came through what befell it. Times are in ms. */
export interface Outcome {
  /** E.g. `{ result: 90, wait: 9, none: 1 }`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Accepted publishes after which APNs was never asked for their device. */
  readonly lost: number;
  /** Publishes, whatever their answer, after which APNs was never asked for their device. */
  readonly unpushed: number;
  /** Longest time without any push for publishes of each sender. */
  readonly still: Readonly<Record<SenderKind, number>>;
  /** From the fault to the last trouble: a publish that was refused or not answered, or a push that came late. */
  readonly whole: number;
}

export interface Happening {
  readonly journals: Readonly<Record<SenderKind, readonly Sent[]>>;
  readonly pushes: readonly Arrival[];
  /** When something broke, in ms since 1970. */
  readonly brokeAt: number;
  /** Longest time that a push may have to wait for its device's window. */
  readonly windowMs: number;
}

export function outcomeOf(happening: Happening): Outcome {
  const { journals, pushes } = happening;
  const journal = Object.values(journals).flat();
  return {
    answers: answersOf(journal),
    lost: lostOf(journal, pushes).length,
    unpushed: unpushedOf(journal, pushes).length,
    still: {
      prosody: longestGap(journals.prosody, happening),
      ejabberd: longestGap(journals.ejabberd, happening),
    },
    whole: lastTrouble(journal, happening) - happening.brokeAt,
  };
}

function longestGap(journal: readonly Sent[], { pushes, brokeAt }: Happening): number {
  const end = journal.reduce((latest, { sentAt }) => Math.max(latest, sentAt), brokeAt);
  const tokens = new Set(journal.map(({ token }) => token));
  const times = pushes
    .filter(({ token, receivedAt: at }) => tokens.has(token) && at > brokeAt - LATE_MS && at < end)
    .map(({ receivedAt }) => receivedAt);
  const inOrder = [...times, end].toSorted((one, other) => one - other);
  return inOrder.reduce((longest, at, index) => Math.max(longest, at - (inOrder[index - 1] ?? at)), 0);
}

function lastTrouble(journal: readonly Sent[], { pushes, brokeAt, windowMs }: Happening): number {
  const firstAfter = (token: string, sentAt: number): number | undefined =>
    byToken.get(token)?.find((at) => at >= sentAt);
  const byToken = new Map(
    [...Map.groupBy(pushes, ({ token }) => token)].map(([token, all]) => [
      token,
      all.map(({ receivedAt }) => receivedAt).toSorted((one, other) => one - other),
    ]),
  );
  const counts = Map.groupBy(journal, ({ token }) => token);
  const troubles = journal.flatMap((sent) => {
    if (!isAccepted(sent)) return [sent.sentAt];
    const pushedAt = firstAfter(sent.token, sent.sentAt);
    if (pushedAt === undefined) return [];
    // A device that many publishes are for may have to wait for its window.
    const patience = (counts.get(sent.token)?.length ?? 0) > 1 ? windowMs + LATE_MS : LATE_MS;
    return pushedAt - sent.sentAt > patience ? [pushedAt] : [];
  });
  return troubles.filter((at) => at >= brokeAt).reduce((latest, at) => Math.max(latest, at), brokeAt);
}
