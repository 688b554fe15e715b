import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Names of labels with every value they may take. */
export type ClosedLabels<Name extends string> = Readonly<Record<Name, readonly string[]>>;
export type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** All values of a union, which does not compile while one is missing. */
export const allOf = <Value extends string>(values: Readonly<Record<Value, true>>): readonly string[] =>
  Object.keys(values);

/** How the sidecar merges a gauge of several processes. */
export type Aggregator = "sum" | "min" | "max" | "average" | "first" | "omit";

export interface CounterOptions<Name extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
  /** Those made at the start. */
  readonly children: readonly Labels<Name>[];
}

/** A counter whose children are made before their first event, so that it is seen: none would be, without a 0 before it. */
export function closedCounter<Name extends string>(
  registry: Registry,
  { name, help, labels, children }: CounterOptions<Name>,
): Counter<Name> {
  const counter = new Counter({ name, help, labelNames: labels, registers: [registry] });
  makeVisible(counter, children);
  return counter;
}

/** Children that are there already stay as they are. */
export function makeVisible<Name extends string>(
  counter: Counter<Name>,
  children: readonly Labels<Name>[],
): void {
  for (const child of children) counter.inc(child, 0);
}

/** A counter without labels. */
export const plainCounter = (registry: Registry, name: string, help: string): Counter =>
  new Counter({ name, help, registers: [registry] });

/** A histogram without labels. */
export const plainHistogram = (
  registry: Registry,
  name: string,
  help: string,
  buckets: readonly number[],
): Histogram => new Histogram({ name, help, buckets: [...buckets], registers: [registry] });

/** A gauge that starts without children: its values come with the first event or reading. */
export const gauge = <Name extends string>(
  registry: Registry,
  options: {
    readonly name: string;
    readonly help: string;
    readonly labels: readonly Name[];
    readonly aggregator: Aggregator;
  },
): Gauge<Name> =>
  new Gauge({
    name: options.name,
    help: options.help,
    labelNames: options.labels,
    aggregator: options.aggregator,
    registers: [registry],
  });

/** All combinations of the labels' values. */
export function combinations<Name extends string>(labels: ClosedLabels<Name>): readonly Labels<Name>[];
export function combinations(labels: ClosedLabels<string>): readonly Labels<string>[] {
  return Object.entries(labels).reduce<readonly Labels<string>[]>(
    (sofar, [name, values]) => sofar.flatMap((child) => values.map((value) => ({ ...child, [name]: value }))),
    [{}],
  );
}

/**
 * Keeps a label closed though its values come from events: they stem from the configuration, and should that
 * ever be wrong, everything above `most` values shares the label `other`.
 */
export function bounded(most = 32): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return "other";
    known.add(value);
    return value;
  };
}

/** Keeps a label closed: values that are not of the set, as it is then, count as `other`. */
export const closed =
  (known: ReadonlySet<string>): ((value: string) => string) =>
  (value) =>
    known.has(value) ? value : "other";

/** The gauge is 1 for the state that `child` is in, and 0 for the others. */
export function stateSet<Name extends string>(
  gauge: Gauge<Name | "state">,
  states: readonly string[],
): (labels: Labels<Name>, state: string) => void {
  return (labels, state) => {
    for (const each of states) gauge.set({ ...labels, state: each }, each === state ? 1 : 0);
  };
}

/** Milliseconds as the seconds that Prometheus wants. */
export const inSeconds = (duration: number): number => duration / 1_000;
