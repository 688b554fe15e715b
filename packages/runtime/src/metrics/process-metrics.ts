import { type EpochMillis } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { type RedisEvent } from "../by-stage.ts";
import { bounded, closedCounter, gauge, inSeconds } from "./instruments.ts";
import { resourceMetrics } from "./resource-metrics.ts";

/** A process of ours. The sidecar merges those of one role. */
export interface ProcessFacts {
  readonly role: string;
  readonly version: string;
  readonly startedAt: EpochMillis;
}

/**
 * What every process counts: its resources, its version, trouble with Redis. All of it carries the role,
 * since a sum over roles would say nothing.
 */
export function processMetrics(registry: Registry, { role, version, startedAt }: ProcessFacts) {
  resourceMetrics(registry, role);
  gauge(registry, {
    name: "reveille_process_start_timestamp_seconds",
    help: "When the newest process of the role started, in seconds since 1970.",
    labels: ["role"],
    aggregator: "max",
  }).set({ role }, inSeconds(startedAt));
  gauge(registry, {
    name: "reveille_build_info",
    help: "Number of processes by role and version.",
    labels: ["role", "version"],
    aggregator: "sum",
  }).set({ role, version }, 1);
  return redisMetrics(registry, role);
}

/** What the connections of a role are called, so that they show before their first trouble. */
const CONNECTIONS: Readonly<Record<string, readonly string[]>> = {
  ingress: ["producer"],
  worker: ["producer", "worker"],
};

function redisMetrics(registry: Registry, role: string) {
  const connection = bounded();
  const children = (CONNECTIONS[role] ?? []).map((name) => ({ role, connection: connection(name) }));
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
    children,
  });
  for (const child of children) trouble.set(child, 0);
  const full = gauge(registry, {
    name: "reveille_redis_full",
    help: "Processes of this role that refuse new wakeups since Redis is nearly full.",
    labels: ["role"],
    aggregator: "sum",
  });
  full.set({ role }, 0);
  const weak = gauge(registry, {
    name: "reveille_redis_durability_weak",
    help: "Processes of this role whose Redis may lose accepted wakeups when it is killed.",
    labels: ["role"],
    aggregator: "sum",
  });
  weak.set({ role }, 0);
  const missing = closedCounter(registry, {
    name: "reveille_replicas_missing_total",
    help: "Times a flush found fewer replicas of Redis than wanted; while that lasts, about once a second per process.",
    labels: ["role"],
    children: [{ role }],
  });
  const skew = gauge(registry, {
    name: "reveille_clock_skew_seconds",
    help: "How far the clock of this host is ahead of or behind that of Redis, by which ages and deadlines are judged.",
    labels: ["role", "direction"],
    aggregator: "max",
  });
  const rewrites = closedCounter(registry, {
    name: "reveille_redis_rewrites_total",
    help: "Times Redis or a replica of it was told to rewrite its append-only file, by what came of it.",
    labels: ["role", "outcome"],
    children: [
      { role, outcome: "started" },
      { role, outcome: "refused" },
      { role, outcome: "failed" },
      { role, outcome: "unreachable" },
    ],
  });
  const lost = closedCounter(registry, {
    name: "reveille_redis_data_lost_total",
    help: "Times a process found Redis without the region's secret, so without its data, or with another secret.",
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
      case "redis-room-changed":
        full.set({ role }, event.full ? 1 : 0);
        return;
      case "redis-durability-changed":
        weak.set({ role }, event.because === undefined ? 0 : 1);
        return;
      case "redis-data-lost":
        lost.inc({ role });
        return;
      case "redis-packs-loosely":
        // How much memory it uses is a reading.
        return;
      case "append-only-file-rewrite":
        rewrites.inc({ role, outcome: event.outcome });
        return;
      case "clock-compared":
        skew.set({ role, direction: "ahead" }, inSeconds(Math.max(0, event.ahead)));
        skew.set({ role, direction: "behind" }, inSeconds(Math.max(0, -event.ahead)));
        return;
      case "replicas-missing":
        missing.inc({ role });
        return;
    }
  };
}
