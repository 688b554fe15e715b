/** The formats in which the metrics can be had. */
export type MetricsFormat = "prometheus" | "openmetrics";

/** OpenMetrics for whoever prefers it to plain text (RFC 9110 §12.5.1); Prometheus does. */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  const weights = (accept ?? "").split(",").map(weightOf);
  const weight = (type: string): number =>
    Math.max(0, ...weights.filter((each) => each.type === type).map(({ q }) => q));
  const open = weight("application/openmetrics-text");
  return open > 0 && open >= weight("text/plain") ? "openmetrics" : "prometheus";
}

function weightOf(range: string): { readonly type: string; readonly q: number } {
  const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return { type, q: Number.isFinite(weight) ? weight : 0 };
}
