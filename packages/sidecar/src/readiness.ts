import { type Health, type PartHealth, type Role } from "@reveille/wakeup";

import { type Host } from "./host.ts";
import { type RoleProcess } from "./role-process.ts";

/** Would a publish that arrives at this host now reach the push service? */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty if ready. */
  readonly reasons: readonly string[];
}

const ROLES = ["ingress", "worker"] as const satisfies readonly Role[];

/** Ready if, of each role, at least one process answers and has all it needs ready. */
export function readinessOf({ processes, trouble }: Pick<Host, "processes" | "trouble">): Readiness {
  if (trouble !== undefined) return { ready: false, reasons: [trouble] };
  const reasons = ROLES.flatMap((role) => {
    const ofRole = processes.filter((process) => process.role === role);
    if (ofRole.length === 0) return [`no ${role} runs on this host`];
    return ofRole.some(isReady) ? [] : ofRole.flatMap(troublesOf);
  });
  return { ready: reasons.length === 0, reasons };
}

/** True if the process answers and has all it needs. */
export const isReady = (process: RoleProcess): boolean => troublesOf(process).length === 0;

function troublesOf({ role, pid, report, silentBecause }: RoleProcess): readonly string[] {
  const name = `${role} ${pid}`;
  if (silentBecause !== undefined || report === undefined)
    return [`${name}: ${silentBecause ?? "no report"}`];
  if (report.parts.length === 0) return [`${name} tells nothing of its parts`];
  return missingOf(report.parts).map(({ part, health }) => `${name}: ${part} is ${inWords(health)}`);
}

/** Parts that are not ready, unless another one stands in for them. */
function missingOf(parts: readonly PartHealth[]): readonly PartHealth[] {
  const works = ({ health }: PartHealth): boolean => health.kind === "ready";
  const served = new Set(parts.filter(works).map(({ anyOf }) => anyOf));
  return parts.filter((part) => !works(part) && (part.anyOf === undefined || !served.has(part.anyOf)));
}

const inWords = (health: Health): string =>
  health.kind === "failing" ? `failing: ${health.because}` : health.kind;
