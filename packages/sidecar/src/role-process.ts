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

/** True if a part of the process says that only a new process mends it. */
export const isStuck = ({ report }: RoleProcess): boolean =>
  report?.parts.some(({ health }) => health.kind === "failing" && health.stuck === true) ?? false;
