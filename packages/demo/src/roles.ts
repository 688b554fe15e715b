import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Program, readinessOf } from "@reveille/testkit";

const CLI = join(import.meta.dirname, "../../cli/src/main.ts");

/** Configuration of the host, as `reveille … --config FILE` reads it. */
export type HostConfig = Readonly<Record<string, unknown>>;

/** Its name in the folder of the region. */
export const CONFIG_FILE = "reveille.yaml";

/** Writes it where the roles find it. JSON is YAML (YAML 1.2 §1.3). */
export async function writeHostConfig(folder: string, config: HostConfig): Promise<string> {
  const file = join(folder, CONFIG_FILE);
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`);
  return file;
}

export interface RoleOptions {
  readonly role: "front" | "ingress" | "worker" | "sidecar" | "canary";
  /** What people call this process, e.g. `worker-2`. */
  readonly name: string;
  readonly configFile: string;
  readonly logFile: string;
  /** Of Node, e.g. `--heapsnapshot-signal=SIGUSR2`. */
  readonly nodeOptions?: readonly string[] | undefined;
}

/** A role as in production: `reveille <role> --config FILE`, in a process of its own. Resolves when it works. */
export async function startRole(options: RoleOptions): Promise<Program> {
  const { role, name, configFile, logFile, nodeOptions = [] } = options;
  return Program.start({
    name,
    command: process.execPath,
    args: [...nodeOptions, CLI, role, "--config", configFile],
    logFile,
    ready: await readinessOf(role, configFile),
  });
}
