import { collectDefaultMetrics, type Registry } from "prom-client";

import { type RedisEvent } from "../by-stage.ts";
import { bounded, closedCounter, gauge } from "./instruments.ts";

/** A process of ours; the sidecar merges those of one role. */
export interface ProcessLabels {
  readonly role: string;
  readonly version: string;
}

/**
 * What every process counts: CPU, memory, event loop, Redis trouble. These carry the role, since their sum
 * over roles would say nothing; the processes of a role are summed (or as prom-client's aggregators say).
 */
export function processMetrics(registry: Registry, { role, version }: ProcessLabels) {
  // 100 ms instead of 10: an idle process should not wake up a hundred times a second to measure itself.
  collectDefaultMetrics({ register: registry, labels: { role }, eventLoopMonitoringPrecision: 100 });
  gauge(registry, {
    name: "reveille_build_info",
    help: "Number of processes by role and version.",
    labels: ["role", "version"],
    aggregator: "sum",
  }).set({ role, version }, 1);
  const connection = bounded();
  const trouble = gauge(registry, {
    name: "reveille_redis_trouble",
    help: "Processes of this role whose connection to Redis is in trouble.",
    labels: ["role", "connection"],
    aggregator: "sum",
  });
  const troubles = closedCounter<"role" | "connection">(registry, {
    name: "reveille_redis_troubles_total",
    help: "Troubles with Redis told by a connection.",
    labels: ["role", "connection"],
    children: [],
  });

  const missing = closedCounter(registry, {
    name: "reveille_replicas_missing_total",
    help: "Flushes that reached fewer replicas of Redis than wanted.",
    labels: ["role"],
    children: [{ role }],
  });

  return (event: RedisEvent): void => {
    switch (event.kind) {
      case "redis-trouble": {
        const labels = { role, connection: connection(event.connection) };
        trouble.set(labels, 1);
        troubles.inc(labels);
        return;
      }
      case "redis-recovered":
        trouble.set({ role, connection: connection(event.connection) }, 0);
        return;
      case "replicas-missing":
        missing.inc({ role });
        return;
    }
  };
}
