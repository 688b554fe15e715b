import { type Health, type Role, type SidecarEvent } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { allOf, bounded, gauge, inSeconds } from "./instruments.ts";

/** Of these a host says that it has none. */
const ROLES = allOf<Exclude<Role, "canary" | "front">>({ ingress: true, worker: true });
type ProcessState = Exclude<Extract<SidecarEvent, { kind: "role-process-changed" }>["state"], "gone">;
const PROCESS_STATES = allOf<ProcessState>({ answering: true, silent: true });
const HEALTHS = allOf<Health["kind"]>({ starting: true, ready: true, draining: true, failing: true });

interface KnownProcess {
  readonly role: Role;
  state: ProcessState;
  readonly parts: Map<string, Health["kind"]>;
}

/** What the sidecar knows of its host: which roles run, how their parts are, whether the host is ready. */
export function sidecarMetrics(registry: Registry) {
  const ready = gauge(registry, {
    name: "reveille_host_ready",
    help: "1 if a publish that arrives at this host now would reach the push service.",
    labels: [],
    aggregator: "min",
  });
  // prom-client shows 0 from the start; a machine of no region is not asked to be ready.
  ready.remove();
  const expiry = gauge(registry, {
    name: "reveille_front_certificate_expiry_timestamp_seconds",
    help: "When the certificate that a front serves for our hostname expires, in seconds since 1970; 0: it serves none.",
    labels: ["front"],
    aggregator: "min",
  });
  const front = bounded();
  const show = processGauges(registry);
  const processes = new Map<string, KnownProcess>();
  show([]);

  return (event: SidecarEvent): void => {
    if (event.kind === "readiness-changed") {
      ready.set(event.ready ? 1 : 0);
      return;
    }
    if (event.kind === "front-certificate-seen") {
      expiry.set({ front: front(event.front) }, inSeconds(event.expiresAt ?? 0));
      return;
    }
    const name = `${event.role} ${event.pid}`;
    const known = processes.get(name) ?? { role: event.role, state: "answering", parts: new Map() };
    processes.set(name, known);
    switch (event.kind) {
      case "part-health-changed":
        known.parts.set(event.part, event.health.kind);
        break;
      case "role-process-changed":
        // Of a process that is silent, or new under an old id, the parts are not known.
        known.parts.clear();
        if (event.state === "gone") processes.delete(name);
        else known.state = event.state;
        break;
    }
    show([...processes.values()]);
  };
}

function processGauges(registry: Registry) {
  const count = gauge(registry, {
    name: "reveille_role_processes",
    help: "Processes of a role on this host; silent ones have a socket but give no report.",
    labels: ["role", "state"],
    aggregator: "sum",
  });
  const up = gauge(registry, {
    name: "reveille_role_up",
    help: "1 if at least one process of the role answers on this host.",
    labels: ["role"],
    aggregator: "max",
  });
  const parts = gauge(registry, {
    name: "reveille_parts",
    help: "Parts of a role's processes by their state.",
    labels: ["role", "part", "state"],
    aggregator: "sum",
  });
  const seen = new Set(ROLES);
  return (processes: readonly KnownProcess[]): void => {
    parts.reset();
    for (const { role } of processes) seen.add(role);
    for (const role of seen) {
      const ofRole = processes.filter((process) => process.role === role);
      for (const state of PROCESS_STATES) {
        count.set({ role, state }, ofRole.filter((process) => process.state === state).length);
      }
      up.set({ role }, ofRole.some(({ state }) => state === "answering") ? 1 : 0);
      for (const [part, health] of ofRole.flatMap((process) => [...process.parts])) {
        for (const state of HEALTHS) parts.inc({ role, part, state }, state === health ? 1 : 0);
      }
    }
  };
}
