import { type MetricFamily } from "@reveille/wakeup";

/** Merges the metrics of several processes into one list. */
export type Merge = (processes: readonly (readonly MetricFamily[])[]) => readonly MetricFamily[];

const COUNTING: ReadonlySet<string> = new Set(["counter", "histogram", "summary"]);

/** The families that only ever grow: what a process has counted stays true after it has ended. */
export const counting = (families: readonly MetricFamily[]): readonly MetricFamily[] =>
  families.filter(({ type }) => COUNTING.has(type));

/**
 * What processes that have ended had counted. Added to those that run, so that the sums of a host don't go
 * backwards when a role restarts. A restart of the sidecar forgets it, which is an ordinary reset.
 */
export class Departed {
  #families: readonly MetricFamily[] = [];
  readonly #merge: Merge;

  constructor(merge: Merge) {
    this.#merge = merge;
  }

  get families(): readonly MetricFamily[] {
    return this.#families;
  }

  add(families: readonly MetricFamily[]): void {
    this.#families = this.#merge([this.#families, counting(families)]);
  }
}
