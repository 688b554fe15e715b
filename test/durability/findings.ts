import { type Sent } from "./publishing.ts";

/** A push request as the far end got it. */
export interface Arrival {
  readonly token: string;
  /** In ms since 1970. */
  readonly receivedAt: number;
  readonly apnsId: string;
}

export const isAccepted = ({ reply }: Sent): boolean => reply?.type === "result";

/** What replies the publishes got, e.g. `{ result: 90, wait: 9, none: 1 }`. */
export function answersOf(journal: readonly Sent[]): Readonly<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (const { reply } of journal) {
    const kind = reply === undefined ? "none" : (reply.errorType ?? reply.type);
    answers[kind] = (answers[kind] ?? 0) + 1;
  }
  return answers;
}

/** Accepted publishes after which APNs was never asked for their device. */
export const lostOf = (journal: readonly Sent[], arrivals: readonly Arrival[]): readonly Sent[] =>
  unpushedOf(journal.filter(isAccepted), arrivals);

/** Publishes, whatever their answer, after which APNs was never asked for their device. */
export function unpushedOf(journal: readonly Sent[], arrivals: readonly Arrival[]): readonly Sent[] {
  const last = new Map<string, number>();
  for (const { token, receivedAt } of arrivals)
    last.set(token, Math.max(receivedAt, last.get(token) ?? receivedAt));
  return journal.filter(({ token, sentAt }) => sentAt > (last.get(token) ?? 0));
}

export interface Waits {
  /** From publish to the first push of the device after it; ms. */
  readonly longest: number;
  /** How many waited longer than a second past the window. */
  readonly late: number;
}

/** How long accepted publishes waited for a push of their device. */
export function waitsOf(journal: readonly Sent[], arrivals: readonly Arrival[], windowMs: number): Waits {
  const times = timesByToken(arrivals);
  const waits = journal.filter(isAccepted).map(({ token, sentAt }) => {
    const first = (times.get(token) ?? []).find((at) => at >= sentAt) ?? sentAt;
    return first - sentAt;
  });
  return {
    longest: waits.reduce((longest, wait) => Math.max(longest, wait), 0),
    late: waits.filter((wait) => wait > windowMs + 1_000).length,
  };
}

/** Pushes that came sooner after the one before, of the same device, than the window allows. */
export function duplicatesOf(arrivals: readonly Arrival[], windowMs: number): number {
  let duplicates = 0;
  for (const times of timesByToken(arrivals).values()) {
    duplicates += times.filter((at, index) => at - (times[index - 1] ?? -Infinity) < windowMs).length;
  }
  return duplicates;
}

/** Pushes of wakeups that APNs was asked for already: the id of a wakeup's push never changes. */
export const repeatsOf = (arrivals: readonly Arrival[]): number =>
  arrivals.length - new Set(arrivals.map(({ apnsId }) => apnsId)).size;

/** Longest time, up to the last publish, in which an ingress accepted none; ms. */
export function outageOf(journal: readonly Sent[], domain: string): number {
  const times = journal.flatMap(({ reply }) =>
    reply?.type === "result" && reply.from === domain ? [reply.at] : [],
  );
  const inOrder = [...times, journal.at(-1)?.sentAt ?? 0].toSorted((one, other) => one - other);
  return inOrder.reduce((longest, at, index) => Math.max(longest, at - (inOrder[index - 1] ?? at)), 0);
}

function timesByToken(arrivals: readonly Arrival[]): ReadonlyMap<string, readonly number[]> {
  const byToken = Map.groupBy(arrivals, ({ token }) => token);
  return new Map(
    [...byToken].map(([token, pushes]) => [
      token,
      pushes.map(({ receivedAt }) => receivedAt).toSorted((one, other) => one - other),
    ]),
  );
}
