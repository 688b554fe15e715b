import { type MetricFamily, type MetricValue } from "@reveille/wakeup";

/** `prometheus`: text format 0.0.4. `openmetrics`: OpenMetrics 1.0. */
export type MetricsFormat = "prometheus" | "openmetrics";

export const METRICS_CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The text that Prometheus scrapes. */
export function renderMetrics(
  families: readonly MetricFamily[],
  format: MetricsFormat = "prometheus",
): string {
  const text = families.map((family) => renderFamily(family, format)).join("");
  return format === "openmetrics" ? `${text}# EOF\n` : text;
}

function renderFamily(family: MetricFamily, format: MetricsFormat): string {
  const open = format === "openmetrics";
  // OpenMetrics names a counter without the suffix of its samples.
  const name = open && family.type === "counter" ? family.name.replace(/_total$/, "") : family.name;
  const head = `# HELP ${name} ${escaped(family.help, open)}\n# TYPE ${name} ${family.type}\n`;
  const sampleName = open && family.type === "counter" ? `${name}_total` : name;
  return head + family.values.map((value) => renderValue(value, sampleName, open)).join("");
}

function renderValue({ value, labels, metricName }: MetricValue, name: string, open: boolean): string {
  const pairs = Object.entries(labels).map(([label, text]) => {
    const shown = open && label === "le" ? canonicalBound(text) : String(text);
    return `${label}="${escaped(shown, true)}"`;
  });
  const set = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${metricName ?? name}${set} ${numeral(value)}\n`;
}

/** OpenMetrics wants `1.0` where the text format is content with `1`. */
const canonicalBound = (bound: string | number): string =>
  /^\d+$/.test(String(bound)) ? `${bound}.0` : String(bound);

function escaped(text: string, quotes: boolean): string {
  const lines = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quotes ? lines.replaceAll('"', '\\"') : lines;
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
