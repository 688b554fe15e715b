import { isOutOfReach } from "@reveille/sidecar";

import { reasonOf } from "../terminal/reason-of.ts";
import { withTimeout } from "../with-timeout.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";

const { ok, skipped, warn } = about("replies to senders");

/** Whether our replies reach the servers of the domains that publish, by what the sidecar of this host knows. */
export const checkReplies: Check = async (context) => {
  const { host, port } = context.config.sidecar.listen;
  const status = new URL(`http://${host.includes(":") ? `[${host}]` : host}:${port}/status.json`);
  try {
    return await withTimeout(context, async (signal) => {
      const response = await fetch(status, { signal });
      return [judgeReplies(await response.json())];
    });
  } catch (error) {
    return [skipped(`the sidecar of this host does not answer at ${status.host}: ${reasonOf(error)}`)];
  }
};

/** `status`: a `/status.json`, perhaps of another version. */
export function judgeReplies(status: unknown): Finding {
  const counts = countsIn(status);
  if (counts === undefined) return skipped("no ingress of this host tells of them");
  const { reached, unreached } = counts;
  const all = reached + unreached;
  if (all === 0) return skipped("no domain has published here within two hours");
  const text = `reach ${reached} of ${all} domains that published within two hours`;
  if (isOutOfReach(counts)) {
    return warn(
      `${text}: pushes go out, but most servers are never told that a device is gone`,
      "let the front of this host connect to any address at ports 5269 and 5270 and to the resolver at port 53; docs/runbooks/replies-unreached.md tells how to find out which of them fails",
    );
  }
  return ok(
    unreached === 0
      ? text
      : `${text}; the servers of the others accept no connection from here, which is theirs to change`,
  );
}

function countsIn(status: unknown): { readonly reached: number; readonly unreached: number } | undefined {
  if (typeof status !== "object" || status === null || !("repliesReach" in status)) return undefined;
  const { repliesReach } = status;
  if (typeof repliesReach !== "object" || repliesReach === null) return undefined;
  const reached = "reached" in repliesReach ? repliesReach.reached : undefined;
  const unreached = "unreached" in repliesReach ? repliesReach.unreached : undefined;
  return typeof reached === "number" && typeof unreached === "number" ? { reached, unreached } : undefined;
}
