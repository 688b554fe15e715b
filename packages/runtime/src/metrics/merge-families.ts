import { type MetricFamily, type MetricValue } from "@reveille/wakeup";

/** Merges the metrics of several processes: values with the same labels become one, as the family says. */
export function mergeFamilies(processes: readonly (readonly MetricFamily[])[]): readonly MetricFamily[] {
  const byName = Map.groupBy(processes.flat(), ({ name }) => name);
  return [...byName.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined || first.aggregator === "omit") return [];
    return [
      {
        ...first,
        values: mergeValues(
          same.flatMap(({ values }) => values),
          first.aggregator,
        ),
      },
    ];
  });
}

function mergeValues(values: readonly MetricValue[], aggregator: string): readonly MetricValue[] {
  return [...Map.groupBy(values, seriesOf).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined
      ? []
      : [
          {
            ...first,
            value: combine(
              same.map(({ value }) => value),
              aggregator,
            ),
          },
        ];
  });
}

/** Two values are of one series if this text is the same; the order of labels does not matter. */
const seriesOf = ({ metricName = "", labels }: MetricValue): string =>
  JSON.stringify([metricName, Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1))]);

function combine(values: readonly number[], aggregator: string): number {
  switch (aggregator) {
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "average":
      return sum(values) / values.length;
    case "first":
      return values[0] ?? Number.NaN;
    // `sum`, and whatever a process of another version may call its aggregator.
    default:
      return sum(values);
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
