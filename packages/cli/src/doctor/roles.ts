import { type AskedRole } from "@reveille/runtime";

import { partsOf } from "./component.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./patient.ts";

/** The roles that run on this host, by their own reports. */
export const checkRoles: Check = async ({ roles }) => {
  if (roles.length > 0) return roles.map(judgeRole);
  return [about("roles").skipped("none runs on this host")];
};

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
