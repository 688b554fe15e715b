import { type Role, type RoleReport } from "@reveille/wakeup";

/** A process of a role on this host, as the sidecar sees it. */
export interface RoleProcess {
  readonly role: Role;
  readonly pid: number;
  /** Why its last poll brought no report; `undefined` while it answers. */
  readonly silentBecause: string | undefined;
  /** The newest report; old if the process is silent, `undefined` if it never gave one. */
  readonly report: RoleReport | undefined;
}

const SOCKET = /^(ingress|worker|canary)-(\d+)\.sock$/;

/** Role and process id from the name of a socket. */
export function parseSocketName(name: string): { readonly role: Role; readonly pid: number } | undefined {
  const [, role, pid] = SOCKET.exec(name) ?? [];
  return role === "ingress" || role === "worker" || role === "canary"
    ? { role, pid: Number(pid) }
    : undefined;
}

/** True if a part of the process says that only a new process mends it. */
export const isStuck = ({ report }: RoleProcess): boolean =>
  report?.parts.some(({ health }) => health.kind === "failing" && health.stuck === true) ?? false;
