import { type Health, type PartHealth, type Role } from "@reveille/wakeup";

import { type RoleProcess } from "./role-process.ts";

/** Would a publish that arrives at this host now reach the push service? */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty if ready. */
  readonly reasons: readonly string[];
}

const ROLES = ["ingress", "worker"] as const satisfies readonly Role[];

/** Ready if, of each role, at least one process answers and has all it needs ready. */
export function readinessOf(processes: readonly RoleProcess[]): Readiness {
  const reasons = ROLES.flatMap((role) => {
    const ofRole = processes.filter((process) => process.role === role);
    if (ofRole.length === 0) return [`no ${role} runs on this host`];
    const troubles = ofRole.map(troublesOf);
    return troubles.some((trouble) => trouble.length === 0) ? [] : troubles.flat();
  });
  return { ready: reasons.length === 0, reasons };
}

function troublesOf({ role, pid, report, silentBecause }: RoleProcess): readonly string[] {
  const name = `${role} ${pid}`;
  if (silentBecause !== undefined || report === undefined)
    return [`${name}: ${silentBecause ?? "no report"}`];
  if (report.parts.length === 0) return [`${name} tells nothing of its parts`];
  return missingOf(report.parts).map(({ part, health }) => `${name}: ${part} is ${inWords(health)}`);
}

/** Parts that are not ready, unless another one stands in for them. */
function missingOf(parts: readonly PartHealth[]): readonly PartHealth[] {
  const isReady = ({ health }: PartHealth): boolean => health.kind === "ready";
  const served = new Set(parts.filter(isReady).map(({ anyOf }) => anyOf));
  return parts.filter((part) => !isReady(part) && (part.anyOf === undefined || !served.has(part.anyOf)));
}

const inWords = (health: Health): string =>
  health.kind === "failing" ? `failing: ${health.because}` : health.kind;
