import { Histogram } from "./histogram.ts";
import { type Journal } from "./load-loop.ts";
import { type Checked, type Window } from "./measure.ts";

/** What a far end has seen. */
export interface Arrivals {
  /** When each wakeup came first, in milliseconds since 1970, by its index; NaN: never. */
  readonly first: Float64Array;
  /** How many came once more. */
  readonly again: number;
}

/** Notes arrivals as they come. */
export class ArrivalLog {
  #first = new Float64Array(2 ** 16).fill(Number.NaN);
  #count = 0;
  #again = 0;

  /** `at` in milliseconds since 1970. */
  note(index: number, at: number): void {
    if (index >= this.#first.length) this.#makeRoomFor(index);
    if (Number.isNaN(this.#first[index])) {
      this.#first[index] = at;
      this.#count += 1;
    } else this.#again += 1;
  }

  /** How many different wakeups came. */
  get count(): number {
    return this.#count;
  }

  get arrivals(): Arrivals {
    return { first: this.#first, again: this.#again };
  }

  #makeRoomFor(index: number): void {
    const longer = new Float64Array(2 ** Math.ceil(Math.log2(index + 1))).fill(Number.NaN);
    longer.set(this.#first);
    this.#first = longer;
  }
}

/**
 * Holds what was accepted against what came: accepted wakeups that never came are lost. Latencies are those of
 * wakeups that were due in the window.
 */
export function checkArrivals(
  journal: Journal,
  { first, again }: Arrivals,
  window: Window,
): Required<Checked> {
  const latencies = new Histogram();
  let [lost, unknown] = [0, 0];
  for (let index = 0; index < Math.max(first.length, journal.intended.length); index += 1) {
    const at = first[index] ?? Number.NaN;
    const due = journal.intended[index] ?? Number.NaN;
    if (Number.isNaN(at)) lost += journal.accepted[index] ?? 0;
    else if (Number.isNaN(due)) unknown += 1;
    else if (due >= window.from && due < window.to) latencies.record(at - due);
  }
  return { latencies, lost, details: { lost, duplicates: again, unknown } };
}
