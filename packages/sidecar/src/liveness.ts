import { type Role } from "@reveille/wakeup";

import { type Host } from "./host.ts";
import { isStuck } from "./role-process.ts";

/** Do the processes of a role get on with their work, whether or not others let them? For supervisors that can't watch. */
export interface Liveness {
  readonly live: boolean;
  /** Why not, for people; empty if they do. */
  readonly reasons: readonly string[];
}

/** A role lives if at least one process of it runs, each answers, and none is stuck. */
export function livenessOf(
  role: Role,
  { processes, trouble }: Pick<Host, "processes" | "trouble">,
): Liveness {
  if (trouble !== undefined) return dead([trouble]);
  const ofRole = processes.filter((process) => process.role === role);
  if (ofRole.length === 0) return dead([`no ${role} runs on this host`]);
  return dead(
    ofRole.flatMap((process) => {
      const name = `${role} ${process.pid}`;
      if (process.silentBecause !== undefined) return [`${name}: ${process.silentBecause}`];
      return isStuck(process) ? [`${name} is stuck`] : [];
    }),
  );
}

const dead = (reasons: readonly string[]): Liveness => ({ live: reasons.length === 0, reasons });
