import { type MetricFamily, type MetricValue } from "@reveille/wakeup";

/** A list of families for each process. */
export type Families = readonly (readonly MetricFamily[])[];

/** Every value of this name in any process. */
export const valuesOf = (processes: Families, name: string): readonly MetricValue[] =>
  processes
    .flatMap((families) => families.filter((family) => family.name === name))
    .flatMap(({ values }) => values);

export const sumOf = (values: readonly MetricValue[]): number =>
  values.reduce((total, { value }) => total + value, 0);

/** The sums of the values by what they have as `label`. */
export function sumsBy(values: readonly MetricValue[], label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, value } of values) {
    const key = String(labels[label] ?? "");
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

/** The greatest value, for what every process reads from the same place; `undefined` if none has read it. */
export const greatestOf = (values: readonly MetricValue[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values.map(({ value }) => value));

/** Upper bound and number of values up to it, in the order of bounds. */
export type Buckets = readonly (readonly [bound: number, count: number])[];

export function bucketsOf(processes: Families, name: string): Buckets {
  const counts = sumsBy(
    valuesOf(processes, name).filter(({ metricName }) => metricName === `${name}_bucket`),
    "le",
  );
  return [...counts]
    .map(([bound, count]): readonly [number, number] => [bound === "+Inf" ? Infinity : Number(bound), count])
    .toSorted(([one], [other]) => one - other);
}

/**
 * The value below which this share of the observations lies, assuming that they spread evenly in a bucket, as
 * Prometheus' `histogram_quantile` does; `undefined` without observations.
 */
export function quantile(buckets: Buckets, share: number): number | undefined {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = share * total;
  let [lower, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank && count > below) {
      return bound === Infinity ? lower : lower + ((bound - lower) * (rank - below)) / (count - below);
    }
    [lower, below] = [bound, count];
  }
  return lower;
}
