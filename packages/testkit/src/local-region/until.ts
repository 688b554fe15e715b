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

/** What `look` finds once it finds something. Throws with the name of what was waited for when the time is over. */
export async function until<T>(
  look: () => Promise<T | undefined> | T | undefined,
  patience: Patience,
): Promise<T> {
  const { what, withinMs, logFile, everyMs = 5 } = patience;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) {
      const where = logFile === undefined ? "" : `; see ${logFile}`;
      throw new Error(`${what} did not come within ${withinMs / 1_000} s${where}`);
    }
    await sleep(everyMs);
  }
}
