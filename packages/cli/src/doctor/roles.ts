import { type AskedRole } from "@reveille/runtime";

import { partsOf } from "./component.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";
import { type Unit } from "../role/systemd-units.ts";

/** The roles that run on this host, by their own reports, and those that should run. */
export const checkRoles: Check = async ({ roles, machine }) => {
  const found = [...roles.map(judgeRole), ...(await machine.units()).flatMap(judgeUnit)];
  return found.length > 0 ? found : [about("roles").skipped("none runs on this host")];
};

/** A unit that starts with the machine and does not run; nothing of the others. */
export function judgeUnit({ name, state, isEnabled }: Unit): readonly Finding[] {
  if (!isEnabled || RUNNING.has(state)) return [];
  return [
    about(name).fail(
      `enabled, but ${state}`,
      `see why: journalctl -u ${name} -n 50 --no-pager; then: systemctl start ${name} (or, if it is not wanted here: systemctl disable ${name})`,
    ),
  ];
}

const RUNNING: ReadonlySet<string> = new Set(["active", "reloading"]);

export function judgeRole({ role, pid, answer }: AskedRole): Finding {
  const { ok, warn, fail } = about(`${role} ${pid}`);
  if (answer.kind === "silent") {
    return fail(`its socket is there, but ${answer.because}`, `look into its log, and restart it`);
  }
  const parts = partsOf(answer.body);
  const failing = parts.filter(({ state }) => state === "failing");
  if (failing.length > 0) {
    return fail(
      failing.map(({ part, because }) => `${part}: ${because}`).join("; "),
      "mend what it names; it goes on by itself",
    );
  }
  const other = parts.filter(({ state }) => state !== "ready");
  if (other.length === 0) return ok("ready");
  return warn(other.map(({ part, state }) => `${part} is ${state}`).join("; "), "ask again in a few seconds");
}
