import {
  type Health,
  isRole,
  type MetricFamily,
  type MetricValue,
  type PartHealth,
  type RoleReport,
} from "@reveille/wakeup";

/** Reads a role's report, which may come from another version; `undefined` if it is none. Never throws. */
export function parseReport(text: string): RoleReport | undefined {
  const report = parseJson(text);
  if (!isRecord(report)) return undefined;
  const { role, pid, version, startedAt, parts, metrics } = report;
  if (!isRole(role)) return undefined;
  if (typeof pid !== "number" || typeof version !== "string" || typeof startedAt !== "number")
    return undefined;
  if (!Array.isArray(parts) || !Array.isArray(metrics)) return undefined;
  return { role, pid, version, startedAt, parts: parts.flatMap(partOf), metrics: metrics.flatMap(familyOf) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON.parse has no other way to say that this is no JSON.
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function partOf(value: unknown): readonly PartHealth[] {
  if (!isRecord(value)) return [];
  const { part, health, anyOf } = value;
  if (typeof part !== "string") return [];
  return [{ part, health: healthOf(health), ...(typeof anyOf === "string" ? { anyOf } : {}) }];
}

function healthOf(value: unknown): Health {
  const { kind, because, stuck } = isRecord(value) ? value : {};
  if (kind === "starting" || kind === "ready" || kind === "draining") return { kind };
  // A state that this version doesn't know is no reason to call a part ready.
  const reason = typeof because === "string" ? because : `state ${String(kind)}`;
  return { kind: "failing", because: reason, ...(stuck === true ? { stuck } : {}) };
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function familyOf(value: unknown): readonly MetricFamily[] {
  if (!isRecord(value)) return [];
  const { name, help, type, aggregator, values } = value;
  if (typeof name !== "string" || !NAME.test(name) || !Array.isArray(values)) return [];
  if (typeof help !== "string" || typeof type !== "string" || typeof aggregator !== "string") return [];
  return [{ name, help, type, aggregator, values: values.flatMap(valueOf) }];
}

/** JSON has no NaN: prom-client's empty readings arrive as `null` and are left out. */
function valueOf(value: unknown): readonly MetricValue[] {
  if (!isRecord(value) || typeof value["value"] !== "number" || !isRecord(value["labels"])) return [];
  const labels: Record<string, string | number> = {};
  for (const [name, text] of Object.entries(value["labels"])) {
    if (NAME.test(name) && (typeof text === "string" || typeof text === "number")) labels[name] = text;
  }
  const { metricName } = value;
  const series = typeof metricName === "string" && NAME.test(metricName) ? { metricName } : {};
  return [{ value: value["value"], labels, ...series }];
}
