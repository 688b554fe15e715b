import { type ConnectionState, type PushModule, type PushServiceEvent } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { allOf, bounded, closedCounter, combinations, gauge, inSeconds, stateSet } from "./instruments.ts";

type EventOf<Kind extends PushServiceEvent["kind"]> = Extract<PushServiceEvent, { kind: Kind }>;

const CONNECTION_STATES = allOf<ConnectionState>({
  connecting: true,
  probing: true,
  open: true,
  draining: true,
  closed: true,
});
const BREAKER_STATES = allOf<EventOf<"breaker-changed">["state"]>({
  closed: true,
  open: true,
  probing: true,
});
const CREDENTIAL_STATES = allOf<EventOf<"credential-changed">["state"]>({
  trying: true,
  "in-use": true,
  refused: true,
});
const GUARD_STATES = allOf<EventOf<"token-guard-changed">["state"]>({ off: true, on: true });

/** What a worker counts of its connections to push services. */
export function pushServiceMetrics(registry: Registry) {
  const label = bounded();
  const connections = connectionMetrics(registry);
  const ofPool = poolMetrics(registry);
  const pool = (name: string): string => {
    const known = label(name);
    connections.makeVisible(known);
    ofPool.makeVisible(known);
    return known;
  };
  const ofModule = moduleMetrics(registry);

  const observe = (event: PushServiceEvent): void => {
    switch (event.kind) {
      case "connection-state-changed":
        connections.changed(pool(event.pool), event.from, event.to);
        return;
      case "goaway-received":
        ofPool.goaways.inc({ pool: pool(event.pool) });
        return;
      case "stream-limit-changed":
        ofPool.streamLimit.set({ pool: pool(event.pool) }, event.limit);
        return;
      case "provider-token-rotated":
        ofPool.rotated(pool(event.pool), event.issuedAt);
        return;
      case "endpoint-rest-changed":
        ofPool.setRest({ pool: pool(event.pool) }, event.state);
        return;
      case "credential-changed":
        ofPool.setCredential({ pool: pool(event.pool) }, event.state);
        return;
      case "credential-exposed":
        // For the log: nothing to count.
        return;
      case "breaker-changed":
        ofModule.showModule(event.module);
        ofModule.setBreaker({ module: event.module }, event.state);
        return;
      case "token-guard-changed":
        ofModule.showModule(event.module);
        ofModule.setGuard({ module: event.module }, event.state);
        return;
    }
  };
  return { observe, showModule: ofModule.showModule };
}

function poolMetrics(registry: Registry) {
  const states = (name: string, help: string) =>
    gauge(registry, { name, help, labels: ["pool", "state"], aggregator: "sum" });
  const counter = (name: string, help: string) =>
    closedCounter<"pool">(registry, { name, help, labels: ["pool"], children: [] });
  const goaways = counter(
    "reveille_push_goaways_total",
    "Connections that the push service asked us to leave.",
  );
  const rotations = counter("reveille_provider_token_rotations_total", "Provider tokens made.");
  const issued = gauge(registry, {
    name: "reveille_provider_token_issued_timestamp_seconds",
    help: "When the provider token in use says it was issued, in seconds since 1970; Apple refuses it an hour later.",
    labels: ["pool"],
    aggregator: "min",
  });
  const setRest = stateSet<"pool">(
    states(
      "reveille_push_endpoint_rest",
      "How many workers give the endpoint a rest (open) or try it (probing).",
    ),
    BREAKER_STATES,
  );
  const setCredential = stateSet<"pool">(
    states(
      "reveille_credential_state",
      "How many workers use, try or have refused the newest credential files; refused: an older one stays in use.",
    ),
    CREDENTIAL_STATES,
  );
  const known = new Set<string>();
  return {
    makeVisible: (pool: string): void => {
      if (known.has(pool)) return;
      known.add(pool);
      goaways.inc({ pool }, 0);
      rotations.inc({ pool }, 0);
      setRest({ pool }, "closed");
      setCredential({ pool }, "in-use");
    },
    goaways,
    rotated: (pool: string, issuedAt: number): void => {
      rotations.inc({ pool });
      issued.set({ pool }, inSeconds(issuedAt));
    },
    setRest,
    setCredential,
    streamLimit: gauge(registry, {
      name: "reveille_push_stream_limit",
      help: "Newest limit of concurrent requests on a connection, as told by the push service.",
      labels: ["pool"],
      aggregator: "min",
    }),
  };
}

function moduleMetrics(registry: Registry) {
  const states = (name: string, help: string) =>
    gauge(registry, { name, help, labels: ["module", "state"], aggregator: "sum" });
  const setBreaker = stateSet<"module">(
    states(
      "reveille_breaker_state",
      "How many workers have the module's breaker in this state (open: its wakeups are parked).",
    ),
    BREAKER_STATES,
  );
  const setGuard = stateSet<"module">(
    states(
      "reveille_token_guard",
      "How many workers have stopped (on) declaring tokens dead as bad, since too many of the module are refused.",
    ),
    GUARD_STATES,
  );
  const shown = new Set<PushModule>();
  const showModule = (module: PushModule): void => {
    if (shown.has(module)) return;
    shown.add(module);
    setBreaker({ module }, "closed");
    setGuard({ module }, "off");
  };
  return { setBreaker, setGuard, showModule };
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
  return {
    makeVisible: (pool: string): void => {
      if (known.has(pool)) return;
      known.add(pool);
      for (const child of combinations({ pool: [pool], state: CONNECTION_STATES })) changes.inc(child, 0);
      for (const state of CONNECTION_STATES) if (state !== "closed") now.set({ pool, state }, 0);
    },
    changed: (pool: string, from: ConnectionState | undefined, to: ConnectionState): void => {
      changes.inc({ pool, state: to });
      // Closed connections are gone: only their number of changes is of interest.
      if (from !== undefined && from !== "closed") now.dec({ pool, state: from });
      if (to !== "closed") now.inc({ pool, state: to });
    },
  };
}
