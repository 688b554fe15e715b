import { type FrontEvent, type FrontLimit } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { allOf, closedCounter, combinations, gauge, plainCounter } from "./instruments.ts";
import { type Reading } from "./reading.ts";

type Of<Kind extends FrontEvent["kind"]> = Extract<FrontEvent, { readonly kind: Kind }>;

const DIRECTIONS = allOf<Of<"peer-proven">["direction"]>({ in: true, out: true });
const METHODS = allOf<Of<"peer-proven">["method"]>({ external: true, dialback: true });
const LIMITS = allOf<FrontLimit>({
  connections: true,
  connectionsOfAddress: true,
  unproven: true,
  unprovenOfAddress: true,
  streamsOfDomain: true,
  lookUps: true,
  lookUpsOfAddress: true,
  heldLength: true,
  unsentLength: true,
});
type FrontReading = Extract<Reading, { readonly kind: "front" }>;
const ROUTES = allOf<keyof FrontReading["routed"]>({
  "to-component": true,
  "to-peer": true,
  answered: true,
  dropped: true,
  "reply-dropped": true,
});

/** What a front counts of its streams. */
export function frontMetrics(registry: Registry) {
  const proven = closedCounter<"direction" | "method">(registry, {
    name: "reveille_front_domains_proven_total",
    help: "Domains proven on streams: by users' servers (in) or by us (out), by certificate (external) or dialback.",
    labels: ["direction", "method"],
    children: combinations({ direction: DIRECTIONS, method: METHODS }),
  });
  const ended = plainCounter(
    registry,
    "reveille_front_streams_ended_total",
    "Streams of users' servers that have ended.",
  );
  const limited = closedCounter<"limit">(registry, {
    name: "reveille_front_limits_reached_total",
    help: "Connections, dialback look-ups, streams and requests that were refused or given up, by the limit that was reached.",
    labels: ["limit"],
    children: combinations({ limit: LIMITS }),
  });
  const unreachable = plainCounter(
    registry,
    "reveille_front_unreachable_total",
    "Attempts to open a stream to a user's server that failed.",
  );
  return (event: FrontEvent): void => {
    switch (event.kind) {
      case "peer-proven":
        return proven.inc({ direction: event.direction, method: event.method });
      case "peer-stream-ended":
        return ended.inc();
      case "peer-unreachable":
        return unreachable.inc();
      case "limit-reached":
        return limited.inc({ limit: event.limit });
      case "component-changed":
      case "listening-changed":
        return;
    }
  };
}

/** What a front has open, and what it has passed on. */
export function frontGauges(registry: Registry) {
  const connections = gauge(registry, {
    name: "reveille_front_connections",
    help: "Connections of a front: of users' servers that have proven a domain, or not yet; to users' servers; of ingresses.",
    labels: ["kind"],
    aggregator: "sum",
  });
  const listening = gauge(registry, {
    name: "reveille_front_listening",
    help: "1 while the front accepts streams of users' servers; 0 while they are to go to another host, or it is drained.",
    labels: [],
    aggregator: "max",
  });
  const unanswered = gauge(registry, {
    name: "reveille_front_unanswered_requests",
    help: "Requests that the front has passed on or holds, and that have no answer yet.",
    labels: [],
    aggregator: "sum",
  });
  const stanzas = closedCounter<"route">(registry, {
    name: "reveille_front_stanzas_total",
    help: "Stanzas by where they went; answered: by the front itself; reply-dropped: the sender's server cannot be reached.",
    labels: ["route"],
    children: combinations({ route: ROUTES }),
  });
  const counted = new Map<string, number>();
  const hide = (): void => {
    connections.reset();
    unanswered.remove();
    listening.remove();
  };
  hide();
  return {
    hide,
    show: (reading: FrontReading): void => {
      connections.set({ kind: "proven" }, reading.connections - reading.unproven);
      connections.set({ kind: "unproven" }, reading.unproven);
      connections.set({ kind: "outbound" }, reading.outbound);
      connections.set({ kind: "component" }, reading.components);
      unanswered.set(reading.unanswered);
      listening.set(reading.isListening ? 1 : 0);
      for (const [route, count] of Object.entries(reading.routed)) {
        stanzas.inc({ route }, count - (counted.get(route) ?? 0));
        counted.set(route, count);
      }
    },
  };
}
