import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Host } from "./host.ts";
import { CLI, type Site } from "./site.ts";

/** `reveille drain`, as an operator runs it on that host. */
export async function drain(site: Site, { machine, name }: Host): Promise<void> {
  const root = join(site.folder, name);
  const config = join(root, "etc/reveille/reveille.yaml");
  const haproxy = join(root, "run/haproxy/admin.sock");
  const there = ["netns", "exec", machine.namespace];
  await promisify(execFile)("ip", [
    ...there,
    process.execPath,
    CLI,
    "drain",
    "--config",
    config,
    "--haproxy",
    haproxy,
  ]);
}
