import { type Counted } from "@reveille/wakeup";

/** Places of the counts in an array. */
export const COLUMNS: Readonly<Record<Counted, number>> = {
  queued: 0,
  later: 1,
  merged: 2,
  "token-dead": 3,
  "no-device-token": 4,
  "unknown-module": 5,
  "module-changed": 17,
  malformed: 6,
  "over-limit": 7,
  blocked: 8,
  "not-a-server": 9,
  overload: 10,
  draining: 11,
  "our-trouble": 12,
  "in-clear": 13,
  "over-budget": 14,
  reached: 15,
  unreached: 16,
};

const COUNTED: readonly Counted[] = Object.keys(COLUMNS).filter((name) => isCounted(name));

/** How many places there are. */
export const WIDTH = COUNTED.length;

/** Counts of one domain since some time. */
export class ResultCounts {
  readonly #counts = new Uint32Array(WIDTH);

  add(what: Counted): void {
    this.#counts[COLUMNS[what]] = (this.#counts[COLUMNS[what]] ?? 0) + 1;
  }

  /** Those that are not zero. */
  toMap(): ReadonlyMap<Counted, number> {
    const counts = COUNTED.map((what): [Counted, number] => [what, this.#counts[COLUMNS[what]] ?? 0]);
    return new Map(counts.filter(([, count]) => count > 0));
  }
}

function isCounted(name: string): name is Counted {
  return name in COLUMNS;
}
