import { reasonOf } from "../reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { type Check, patiently, type Patient } from "./patient.ts";

/** Whether the other hosts of the region would take over: their sidecar's `/ready`. */
export const checkPeers: Check = async (patient) => {
  if (patient.peers.length === 0) {
    return [about("peer host").skipped("none named: --peer http://<its address>:9464")];
  }
  return Promise.all(patient.peers.map(async (peer) => askPeer(peer, patient)));
};

async function askPeer(peer: URL, patient: Patient): Promise<Finding> {
  const item = `peer host ${peer.host}`;
  try {
    return await patiently(patient, async (signal) => {
      const response = await fetch(new URL("/ready", peer), { signal });
      return judgeReady(item, response.status, await response.text());
    });
  } catch (error) {
    return about(item).fail(
      `no answer: ${reasonOf(error)}`,
      "start its sidecar, and let this host reach the port of `sidecar.listen` there",
    );
  }
}

export function judgeReady(item: string, status: number, body: string): Finding {
  const { ok, fail } = about(item);
  if (status === 200) return ok("ready");
  const said = body.replaceAll(/\s+/g, " ").slice(0, 300);
  return fail(`not ready (${status}): ${said}`, "run `reveille doctor` there");
}
