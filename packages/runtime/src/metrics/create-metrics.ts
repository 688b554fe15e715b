import { type Clock, type MetricFamily, type Observe, type PushModule } from "@reveille/wakeup";
import { Registry } from "prom-client";

import { byStage } from "../by-stage.ts";
import { canaryMetrics } from "./canary-metrics.ts";
import { frontMetrics } from "./front-metrics.ts";
import { ingressMetrics } from "./ingress-metrics.ts";
import { processMetrics } from "./process-metrics.ts";
import { pushServiceMetrics } from "./push-service-metrics.ts";
import { queueMetrics } from "./queue-metrics.ts";
import { type ReadFacts, readingMetrics } from "./readings.ts";
import { sidecarMetrics } from "./sidecar-metrics.ts";

export interface MetricsOptions {
  readonly role: "front" | "ingress" | "worker" | "sidecar" | "canary";
  readonly version: string;
  /** Their series are there from the start. */
  readonly modules: readonly PushModule[];
  readonly clock: Clock;
}

/** The metrics of one process. */
export interface Metrics {
  /** Events that another role tells are ignored. */
  readonly observe: Observe;
  /**
   * From now on these are counted under their own names too, and their series are there. Those of modules that a
   * configuration no longer has stay as long as the process: counters must not go, and the queue may hold wakeups of them.
   */
  readonly addModules: (modules: Iterable<PushModule>) => void;
  /** Adds facts that are read when the metrics are asked for. */
  readonly addReading: (read: ReadFacts) => void;
  /** Every family this process can show, in the order of `families`. */
  readonly catalog: () => readonly MetricDescription[];
  /** Everything at this moment. Never rejects because of a reading. */
  readonly families: () => Promise<readonly MetricFamily[]>;
}

/** A family of metrics, for documents and for tests of dashboards and alerts. */
export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Each role has the families of its stages only, so that a missing worker does not look like an idle one. */
export function createMetrics({ role, version, modules, clock }: MetricsOptions): Metrics {
  const registry = new Registry();
  const known = new Set<PushModule>();
  const front = role === "front" ? frontMetrics(registry) : undefined;
  const ingress = role === "ingress" ? ingressMetrics(registry) : undefined;
  const work = role === "worker" ? queueMetrics(registry, known) : undefined;
  const pushService = role === "worker" ? pushServiceMetrics(registry) : undefined;
  const readings =
    role === "sidecar" || role === "canary" ? undefined : readingMetrics(registry, role, clock);
  const sidecar = role === "sidecar" ? sidecarMetrics(registry) : undefined;
  const canary = role === "canary" ? canaryMetrics(registry, clock) : undefined;
  const redis = processMetrics(registry, { role, version, startedAt: clock.now() });

  const addModules: Metrics["addModules"] = (more) => {
    for (const module of more) {
      known.add(module);
      for (const stage of [ingress, work, pushService]) stage?.showModule(module);
    }
  };
  addModules(modules);
  const observe = byStage({
    front,
    ingress: ingress?.observe,
    work: work?.observe,
    pushService: pushService?.observe,
    sidecar,
    canary,
    redis,
  });
  return {
    observe,
    addModules,
    addReading: (read) => readings?.add(read),
    catalog: () => registry.getMetricsAsArray().map(descriptionOf),
    families: async () => {
      await readings?.refresh();
      return familiesOf(registry);
    },
  };
}

const descriptionOf = (metric: { name: string; help: string; type: unknown }): MetricDescription => ({
  name: metric.name,
  type: String(metric.type),
  help: metric.help,
  // prom-client's types don't tell of them.
  labels: "labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [],
});

async function familiesOf(registry: Registry): Promise<readonly MetricFamily[]> {
  const families = await registry.getMetricsAsJSON();
  return families.map(({ name, help, type, aggregator, values }) => ({
    name,
    help,
    type: String(type),
    aggregator,
    values: values.map(({ value, labels, ...rest }) => ({
      value,
      labels: known(labels),
      ...seriesName(rest),
    })),
  }));
}

/** Histograms give each value the name of its series (`…_bucket`, `…_sum`, `…_count`). */
const seriesName = (value: object): { readonly metricName?: string } =>
  "metricName" in value && typeof value.metricName === "string" ? { metricName: value.metricName } : {};

const known = (labels: Partial<Record<string, string | number>>): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
