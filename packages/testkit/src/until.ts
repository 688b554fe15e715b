import { setTimeout as sleep } from "node:timers/promises";

export interface Patience {
  /** What is waited for, as the subject of a sentence: `the reply`. */
  readonly what: string;
  readonly withinMs: number;
  /** Where to look when it does not come. */
  readonly logFile?: string | undefined;
  /** Milliseconds between two looks; 5 unless told. */
  readonly everyMs?: number;
}

/** What `work` gives. Throws with the name of what was waited for when the time is over; the work itself goes on. */
export async function within<T>(work: Promise<T>, patience: Omit<Patience, "everyMs">): Promise<T> {
  const tooLate = new AbortController();
  const limit = sleep(patience.withinMs, undefined, { signal: tooLate.signal }).then(() => {
    throw lateness(patience);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    tooLate.abort();
    limit.catch(() => undefined);
  }
}

/** What `look` finds once it finds something. Throws with the name of what was waited for when the time is over. */
export async function until<T>(
  look: () => Promise<T | undefined> | T | undefined,
  patience: Patience,
): Promise<T> {
  const { withinMs, everyMs = 5 } = patience;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw lateness(patience);
    await sleep(everyMs);
  }
}

function lateness({ what, withinMs, logFile }: Patience): Error {
  const where = logFile === undefined ? "" : `; see ${logFile}`;
  return new Error(`${what} did not come within ${withinMs / 1_000} s${where}`);
}
