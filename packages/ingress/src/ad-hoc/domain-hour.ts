import { type Millis, minutes, type PublishResult } from "@reveille/wakeup";

/** What is counted of a domain: publishes by their result, and those with content in clear. */
export type Counted = PublishResult | "in-clear";

const COLUMNS: Readonly<Record<Counted, number>> = {
  queued: 0,
  later: 1,
  merged: 2,
  "token-dead": 3,
  "no-device-token": 4,
  "unknown-module": 5,
  malformed: 6,
  "over-limit": 7,
  blocked: 8,
  "not-a-server": 9,
  overload: 10,
  draining: 11,
  "our-trouble": 12,
  "in-clear": 13,
};
const WIDTH = Object.keys(COLUMNS).length;

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
    this.#turnTo(now);
    const at = (this.#newest % SLICES) * WIDTH + COLUMNS[what];
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  count(what: Counted, now: Millis): number {
    this.#turnTo(now);
    let sum = 0;
    for (let at = COLUMNS[what]; at < this.#counts.length; at += WIDTH) sum += this.#counts[at] ?? 0;
    return sum;
  }

  /** Empties the slices that the time since the last use has made too old. */
  #turnTo(now: Millis): void {
    const slice = sliceAt(now);
    for (let old = Math.max(this.#newest + 1, slice - SLICES + 1); old <= slice; old += 1) {
      this.#counts.fill(0, (old % SLICES) * WIDTH, ((old % SLICES) + 1) * WIDTH);
    }
    this.#newest = Math.max(this.#newest, slice);
  }
}

const sliceAt = (now: Millis): number => Math.floor(now / SLICE);
