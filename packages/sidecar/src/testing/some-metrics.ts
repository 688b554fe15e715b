import { type MetricFamily } from "@reveille/wakeup";

import { type MetricsPort } from "../index.ts";

/** A counter `things_total`, or whatever `parts` make of it. */
export const counter = (value: number, parts: Partial<MetricFamily> = {}): MetricFamily => ({
  name: "things_total",
  help: "Things.",
  type: "counter",
  aggregator: "sum",
  values: [{ value, labels: {} }],
  ...parts,
});
export const gauge = (value: number): MetricFamily => counter(value, { name: "level", type: "gauge" });

type Labels = Readonly<Record<string, string | number>>;

/** A family with a value for each of these labels. */
export const family = (
  name: string,
  values: readonly (readonly [Labels, number])[],
  parts: Partial<MetricFamily> = {},
) => counter(0, { name, values: values.map(([labels, value]) => ({ labels, value })), ...parts });

/** Sums everything of the same name and labels. */
export const metrics: MetricsPort = {
  merge: (processes) =>
    [...Map.groupBy(processes.flat(), ({ name }) => name).values()].map((same) => ({
      ...counter(0),
      ...same[0],
      values: [
        ...Map.groupBy(
          same.flatMap(({ values }) => values),
          ({ labels }) => JSON.stringify(labels),
        ).values(),
      ].map((values) => ({
        labels: values[0]?.labels ?? {},
        value: values.reduce((sum, { value }) => sum + value, 0),
      })),
    })),
  render: (families, format) => `${format}\n${families.flatMap(lines).join("\n")}\n`,
  contentTypes: { prometheus: "text/plain", openmetrics: "application/openmetrics-text" },
  own: () => Promise.resolve([]),
};
const lines = ({ name, values }: MetricFamily): readonly string[] =>
  values.map(({ value, labels }) => `${[name, ...Object.values(labels)].join(" ")} = ${value}`);
