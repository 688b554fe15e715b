import { type MetricFamily, type MetricValue, type Role } from "@reveille/wakeup";

import { type RoleProcess } from "./role-process.ts";

const ROLES = ["ingress", "worker"] as const satisfies readonly Role[];
const HEALTHS = ["starting", "ready", "draining", "failing"] as const;

const gauge = (name: string, help: string, values: readonly MetricValue[]): MetricFamily => ({
  name,
  help,
  type: "gauge",
  aggregator: "sum",
  values,
});

/** What the sidecar itself knows: which roles run, how their parts are, and whether the host is ready. */
export function hostMetrics(processes: readonly RoleProcess[], ready: boolean): readonly MetricFamily[] {
  const answering = processes.filter(({ silentBecause }) => silentBecause === undefined);
  const count = (list: readonly RoleProcess[], role: Role): number =>
    list.filter((process) => process.role === role).length;
  return [
    gauge("reveille_host_ready", "1 if a publish that arrives at this host would reach the push service.", [
      { value: ready ? 1 : 0, labels: {} },
    ]),
    gauge(
      "reveille_role_processes",
      "Processes of a role on this host; silent ones have a socket but do not answer.",
      ROLES.flatMap((role) => [
        { value: count(answering, role), labels: { role, state: "answering" } },
        { value: count(processes, role) - count(answering, role), labels: { role, state: "silent" } },
      ]),
    ),
    gauge(
      "reveille_role_up",
      "1 if at least one process of the role answers on this host.",
      ROLES.map((role) => ({ value: count(answering, role) > 0 ? 1 : 0, labels: { role } })),
    ),
    gauge("reveille_parts", "Parts of the processes of a role by state.", partStates(answering)),
  ];
}

function partStates(processes: readonly RoleProcess[]): readonly MetricValue[] {
  const parts = processes.flatMap(({ role, report }) =>
    (report?.parts ?? []).map(({ part, health }) => ({ role, part, state: health.kind })),
  );
  const byPart = Map.groupBy(parts, ({ role, part }) => JSON.stringify([role, part]));
  return [...byPart.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { role, part } = first;
    return HEALTHS.map((state) => ({
      value: same.filter((each) => each.state === state).length,
      labels: { role, part, state },
    }));
  });
}
