import { type Config } from "@reveille/runtime";

import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { withTimeout } from "../with-timeout.ts";
import { type Check, type DoctorContext } from "./doctor-context.ts";

/** Whether the other hosts of the region would take over: their sidecar's `/ready`. */
export const checkPeers: Check = async (context) => {
  const peers = context.peers.length > 0 ? context.peers : peersIn(context.config);
  if (peers.length === 0) {
    return [about("peer host").skipped("none known: --peer http://<its address>:9464")];
  }
  return Promise.all(peers.map(async (peer) => askPeer(peer, context)));
};

/** The machines whose fronts the ingress connects to beside the own one; their sidecars have the port of ours. */
export function peersIn({ ingress, sidecar }: Config): readonly URL[] {
  const hosts = ingress.components.slice(1).map(({ service }) => new URL(service).hostname);
  return [...new Set(hosts)]
    .filter((host) => !LOOPBACK.test(host))
    .map((host) => new URL(`http://${host}:${sidecar.listen.port}`));
}

const LOOPBACK = /^(?:localhost|127\..*|\[::1\])$/;

async function askPeer(peer: URL, context: DoctorContext): Promise<Finding> {
  const item = `peer host ${peer.host}`;
  try {
    return await withTimeout(context, async (signal) => {
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
