import { aModule, ManualClock } from "@reveille/testkit";
import { type MetricFamily, millis, type PushEvent } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { createMetrics, type MetricDescription, type Reading } from "../index.ts";

const ROLES = ["front", "ingress", "worker", "sidecar", "canary"] as const;
const document = new URL("../../../../docs/metrics.md", import.meta.url).pathname;

/** Labels whose values stem from the configuration, or are the same everywhere. */
const OPEN_LABELS = new Set([
  "module",
  "pool",
  "component",
  "connection",
  "part",
  "version",
  "role",
  "front",
  "hostname",
]);

/** So that labels whose series come with the first event have their values here. */
const EVENTS: readonly PushEvent[] = [
  { kind: "component-state-changed", component: "eu", state: "active" },
  { kind: "connection-state-changed", pool: "production", from: undefined, to: "open" },
  { kind: "endpoint-rest-changed", pool: "production", state: "open" },
  { kind: "credential-changed", pool: "production", state: "in-use" },
  { kind: "canary-settled", hostname: "eu.push.example", ok: true, reply: "accepted", delivery: "delivered" },
  { kind: "part-health-changed", role: "worker", pid: 1, part: "queue", health: { kind: "ready" } },
];
const READINGS: readonly Reading[] = [
  { kind: "queue", waiting: 0, active: 0, delayed: 0, oldest: millis(0) },
  {
    kind: "redis",
    part: "primary",
    memory: { used: 0, limit: 0 },
    replicas: 1,
    lag: { bytes: 0, seconds: 0 },
  },
  { kind: "sentinels", configured: 3, agreeing: 3 },
  { kind: "replies", reached: 0, unreached: 0 },
  {
    kind: "front",
    connections: 0,
    unproven: 0,
    outbound: 0,
    components: 0,
    unanswered: 0,
    isListening: true,
    routed: { "to-component": 0, "to-peer": 0, answered: 0, dropped: 0, "reply-dropped": 0 },
  },
];

interface Row extends MetricDescription {
  readonly roles: readonly string[];
  readonly values: readonly MetricFamily["values"][number][];
}

async function rowsOf(role: (typeof ROLES)[number]): Promise<readonly Row[]> {
  const clock = new ManualClock();
  const metrics = createMetrics({ role, version: "1.2.3", modules: [aModule()], clock });
  for (const event of EVENTS) metrics.observe(event);
  metrics.addReading(() => READINGS);
  const families = new Map((await metrics.families()).map((family) => [family.name, family]));
  return metrics
    .catalog()
    .map((row) => ({ ...row, roles: [role], values: families.get(row.name)?.values ?? [] }));
}

async function allRows(): Promise<readonly Row[]> {
  const rows = (await Promise.all(ROLES.map(rowsOf))).flat();
  return [...Map.groupBy(rows, ({ name }) => name).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, roles: [first, ...others].flatMap(({ roles }) => roles) }],
  );
}

/** `result` (queued, later, …): the label with its values, if the code knows them all. */
function labelText(label: string, row: Row): string {
  const known = new Set(row.values.flatMap(({ labels }) => (label in labels ? [String(labels[label])] : [])));
  if (OPEN_LABELS.has(label) || known.size === 0 || !row.name.startsWith("reveille_")) return `\`${label}\``;
  return `\`${label}\` (${[...known].join(", ")})`;
}

const line = (row: Row): string =>
  `| \`${row.name}\` | ${row.type} | ${row.labels.map((label) => labelText(label, row)).join(", ") || "–"} | ${row.help} |`;

function section(title: string, rows: readonly Row[]): string {
  const head = "| metric | type | labels | meaning |\n|---|---|---|---|";
  return `## ${title}\n\n${head}\n${rows.map(line).join("\n")}\n`;
}

function documentOf(rows: readonly Row[]): string {
  const ours = rows.filter(({ name }) => name.startsWith("reveille_"));
  const of = (role: string): readonly Row[] =>
    ours.filter(({ roles }) => roles.length === 1 && roles[0] === role);
  return [
    INTRODUCTION,
    section("Front", of("front")),
    section("Ingress", of("ingress")),
    section("Worker", of("worker")),
    section("Sidecar", of("sidecar")),
    section("Canary", of("canary")),
    section(
      "More than one role",
      ours.filter(({ roles }) => roles.length > 1),
    ),
    section(
      "Processes",
      rows.filter((row) => !ours.includes(row)),
    ),
  ].join("\n");
}

const INTRODUCTION = `# Metrics

All of them are served by the sidecar of a host: \`GET /metrics\`, Prometheus text or OpenMetrics. The sidecar adds up
what the processes of a role tell. Gauges that say "region" are read from the region's Redis by each host, so take the
\`max\` over hosts, not the sum.

Labels only take values from the code or the configuration; \`module\`, \`pool\`, \`component\`, \`connection\`, \`front\`, \`hostname\` and
\`part\` are names from the configuration, \`other\` stands for what it does not have. Every series is there before its first event,
except gauges that can only be read while Redis answers, and series of components and pools, which appear when those
are first used. A module that a reload adds has its series from then on, all at 0; those of one that it takes away stay
until the restart, with its breaker closed.

This file is made by a test (\`packages/runtime/src/metrics/metrics-document.test.ts\`); \`pnpm test:unit --update metrics-document\` rewrites it.
`;

describe("docs/metrics.md", () => {
  it("lists every metric of every role as the code has it", async () => {
    await expect(documentOf(await allRows())).toMatchFileSnapshot(document);
  });

  it("shows names, units and suffixes as Prometheus wants them", async () => {
    const wrong = (await allRows()).filter(({ name, type }) => {
      if (!name.startsWith("reveille_")) return false;
      const total = name.endsWith("_total");
      return !/^reveille_[a-z_]+$/.test(name) || (type === "counter") !== total || /_(ms|millis)/.test(name);
    });
    expect(wrong).toEqual([]);
  });
});
