import { type ConnectionState, type PushModule, type PushServiceEvent } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { bounded, closedCounter, combinations, gauge, stateSet } from "./instruments.ts";

const CONNECTION_STATES = [
  "connecting",
  "probing",
  "open",
  "draining",
  "closed",
] as const satisfies readonly ConnectionState[];
const BREAKER_STATES = ["closed", "open", "probing"] as const;

/** What a worker counts of its connections to push services. */
export function pushServiceMetrics(registry: Registry, modules: readonly PushModule[]) {
  const pool = bounded();
  const connections = connectionMetrics(registry);
  const goaways = closedCounter<"pool">(registry, {
    name: "reveille_push_goaways_total",
    help: "Connections that the push service asked us to leave.",
    labels: ["pool"],
    children: [],
  });
  const streamLimit = gauge(registry, {
    name: "reveille_push_stream_limit",
    help: "Newest limit of concurrent requests on a connection, as told by the push service.",
    labels: ["pool"],
    aggregator: "min",
  });
  const rotations = closedCounter<"pool">(registry, {
    name: "reveille_provider_token_rotations_total",
    help: "Provider tokens made.",
    labels: ["pool"],
    children: [],
  });
  const breakers = gauge(registry, {
    name: "reveille_breaker_state",
    help: "How many workers have the module's breaker in this state (open: its wakeups are parked).",
    labels: ["module", "state"],
    aggregator: "sum",
  });
  const setBreaker = stateSet<"module">(breakers, BREAKER_STATES);
  for (const module of modules) setBreaker({ module }, "closed");

  return (event: PushServiceEvent): void => {
    switch (event.kind) {
      case "connection-state-changed":
        connections(pool(event.pool), event.from, event.to);
        return;
      case "goaway-received":
        goaways.inc({ pool: pool(event.pool) });
        return;
      case "stream-limit-changed":
        streamLimit.set({ pool: pool(event.pool) }, event.limit);
        return;
      case "provider-token-rotated":
        rotations.inc({ pool: pool(event.pool) });
        return;
      case "breaker-changed":
        setBreaker({ module: event.module }, event.state);
        return;
    }
  };
}

function connectionMetrics(registry: Registry) {
  const now = gauge(registry, {
    name: "reveille_push_connections",
    help: "Connections to the push service by state.",
    labels: ["pool", "state"],
    aggregator: "sum",
  });
  const changes = closedCounter<"pool" | "state">(registry, {
    name: "reveille_push_connection_changes_total",
    help: "Changes of a connection into this state.",
    labels: ["pool", "state"],
    children: [],
  });
  const known = new Set<string>();
  return (pool: string, from: ConnectionState | undefined, to: ConnectionState): void => {
    if (!known.has(pool)) {
      known.add(pool);
      for (const child of combinations({ pool: [pool], state: CONNECTION_STATES })) changes.inc(child, 0);
      for (const state of CONNECTION_STATES) if (state !== "closed") now.set({ pool, state }, 0);
    }
    changes.inc({ pool, state: to });
    // Closed connections are gone: only their number of changes is of interest.
    if (from !== undefined && from !== "closed") now.dec({ pool, state: from });
    if (to !== "closed") now.inc({ pool, state: to });
  };
}
