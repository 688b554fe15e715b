import { documentedMetrics } from "./documented-metrics.ts";

/** Put on every series by the scrape configuration. */
const TARGET_LABELS = ["job", "instance", "region"];
/** Made by Prometheus itself. */
const OF_PROMETHEUS = new Set(["up"]);

const SELECTOR = /\b((?:reveille|process|nodejs|region:)[\w:]*|up)\b\s*(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;
const GROUPING = /\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g;
/** In Grafana: a value that the reader chooses. */
const VARIABLE = /^\$/;

/** What an expression uses that does not exist; `recorded`: names that recording rules make. */
export function unknownIn(expression: string, recorded: ReadonlySet<string>): readonly string[] {
  const known = documentedMetrics();
  const used = [...expression.matchAll(SELECTOR)].map(([, name = "", matchers = ""]) => ({ name, matchers }));
  const bases = used.map(({ name }) => ({ name, metric: known.get(name) ?? known.get(baseOf(name)) }));
  const names = bases
    .filter(({ name, metric }) => metric === undefined && !recorded.has(name) && !OF_PROMETHEUS.has(name))
    .map(({ name }) => `metric ${name}`);
  const matched = used.flatMap(({ name, matchers }) => unknownMatchers(name, matchers));
  const grouped = new Set(
    [...expression.matchAll(GROUPING)].flatMap(([, list = ""]) => list.split(/\s*,\s*/)),
  );
  const labels = new Set([
    ...TARGET_LABELS,
    "le",
    ...bases.flatMap(({ metric }) => [...(metric?.labels.keys() ?? [])]),
  ]);
  const groups = [...grouped].filter((label) => label !== "" && !labels.has(label));
  return [...names, ...matched, ...groups.map((label) => `label ${label}`)];
}

const baseOf = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, "");

function unknownMatchers(name: string, matchers: string): readonly string[] {
  const metric = documentedMetrics().get(name) ?? documentedMetrics().get(baseOf(name));
  if (metric === undefined) return [];
  return [...matchers.matchAll(MATCHER)].flatMap(([, label = "", , text = ""]) => {
    if (TARGET_LABELS.includes(label) || label === "le") return [];
    const values = metric.labels.get(label);
    if (values === undefined) return [`label ${label} of ${name}`];
    return text
      .split("|")
      .filter((value) => values.length > 0 && !VARIABLE.test(value) && !values.includes(value))
      .map((value) => `value ${value} of label ${label} of ${name}`);
  });
}
