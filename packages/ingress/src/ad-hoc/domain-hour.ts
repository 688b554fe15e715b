import { type Counted, type Millis, minutes } from "@reveille/wakeup";

import { COLUMNS, WIDTH } from "./result-counts.ts";

const SLICE = minutes(5);
const SLICES = 12;

/** Counts of one domain in the last hour, in slices of five minutes: 55 to 60 minutes of them. Times are monotonic. */
export class DomainHour {
  readonly #counts = new Uint32Array(WIDTH * SLICES);
  /** Number of the newest slice since the clock began. */
  #newest: number;

  constructor(now: Millis) {
    this.#newest = sliceAt(now);
  }

  add(what: Counted, now: Millis): void {
    this.turnTo(now);
    const at = (this.#newest % SLICES) * WIDTH + COLUMNS[what];
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  count(what: Counted, now: Millis): number {
    this.turnTo(now);
    let sum = 0;
    for (let at = COLUMNS[what]; at < this.#counts.length; at += WIDTH) sum += this.#counts[at] ?? 0;
    return sum;
  }

  /** Forgets what is older than an hour; so does every use. */
  turnTo(now: Millis): void {
    const slice = sliceAt(now);
    for (let old = Math.max(this.#newest + 1, slice - SLICES + 1); old <= slice; old += 1) {
      this.#counts.fill(0, (old % SLICES) * WIDTH, ((old % SLICES) + 1) * WIDTH);
    }
    this.#newest = Math.max(this.#newest, slice);
  }
}

const sliceAt = (now: Millis): number => Math.floor(now / SLICE);
