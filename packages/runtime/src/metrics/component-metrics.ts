import { type ComponentState, type IngressEvent } from "@reveille/wakeup";
import { Histogram, type Registry } from "prom-client";

import { allOf, bounded, closedCounter, combinations, gauge, inSeconds, stateSet } from "./instruments.ts";

type EventOf<Kind extends IngressEvent["kind"]> = Extract<IngressEvent, { kind: Kind }>;

const COMPONENT_STATES = allOf<ComponentState>({ connecting: true, active: true, standby: true, down: true });
const PING_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];

/** What an ingress counts of its components, each of which is a connection to a front. */
export function componentMetrics(registry: Registry) {
  const name = bounded();
  const state = stateSet<"component">(
    gauge(registry, {
      name: "reveille_component_state",
      help: "How many ingresses have this component in this state (standby: another ingress serves the front).",
      labels: ["component", "state"],
      aggregator: "sum",
    }),
    COMPONENT_STATES,
  );
  const changes = closedCounter<"component" | "state">(registry, {
    name: "reveille_component_state_changes_total",
    help: "Changes of a component into this state.",
    labels: ["component", "state"],
    children: [],
  });
  const pings = closedCounter<"component" | "result">(registry, {
    name: "reveille_self_pings_total",
    help: "Pings to ourselves through the front.",
    labels: ["component", "result"],
    children: [],
  });
  const pingTime = new Histogram({
    name: "reveille_self_ping_seconds",
    help: "Time of a ping to ourselves through the front, if it came back.",
    labelNames: ["component"],
    buckets: PING_BUCKETS,
    registers: [registry],
  });
  const known = new Set<string>();
  const makeVisible = (component: string): void => {
    if (known.has(component)) return;
    known.add(component);
    for (const child of combinations({ component: [component], state: COMPONENT_STATES }))
      changes.inc(child, 0);
    for (const child of combinations({ component: [component], result: ["ok", "failed"] }))
      pings.inc(child, 0);
    pingTime.zero({ component });
  };
  return {
    changed: (event: EventOf<"component-state-changed">): void => {
      const component = name(event.component);
      makeVisible(component);
      state({ component }, event.state);
      changes.inc({ component, state: event.state });
    },
    pinged: (event: EventOf<"self-ping-settled">): void => {
      const component = name(event.component);
      makeVisible(component);
      pings.inc({ component, result: event.ok ? "ok" : "failed" });
      if (event.ok) pingTime.observe({ component }, inSeconds(event.took));
    },
  };
}
