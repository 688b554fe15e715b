import { relative } from "node:path";

import { type Region } from "./start-region.ts";

/** What runs where, for people. */
export function introduce(region: Region, tookMs: number): string {
  const { sender, hostname, workers, sidecarUrl, apns, logFolder } = region;
  const lines: readonly (readonly [string, string])[] = [
    ["sender", `${sender.domain}: Prosody with the stock mod_cloud_notify`],
    ["front", `${hostname}: reveille front; s2s with TLS between the two, certificates of a test CA`],
    ["roles", `front, ingress, ${workers.map(({ name }) => name).join(", ")}, sidecar`],
    ["redis", "AOF, noeviction, on a Unix socket"],
    ["APNs", `simulator, HTTP/2 over TLS; its control port: ${apns.controlUrl}/_sim/stats`],
    ["sidecar", `${sidecarUrl}  (/ /metrics /ready /live)`],
    ["logs", relative(process.cwd(), logFolder)],
  ];
  const table = lines.map(([part, what]) => `  ${part.padEnd(9)}${what}`);
  return [
    `A whole region runs on this machine, each part in its own process (${(tookMs / 1_000).toFixed(1)} s):`,
    "",
    ...table,
    "",
    "Juliet's phone has registered a push and sleeps. Romeo writes to her:",
    "",
  ].join("\n");
}
