import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { type Region } from "@reveille/demo";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");

interface HostConfig {
  readonly modules: Readonly<
    Record<string, { readonly apns: { readonly keyFile: string } } & Record<string, unknown>>
  >;
  readonly redis: Record<string, unknown>;
  readonly sidecar: Record<string, unknown>;
  readonly ingress: Record<string, unknown> & { readonly components: readonly Record<string, unknown>[] };
}

const isHostConfig = (value: unknown): value is HostConfig =>
  typeof value === "object" && value !== null && "modules" in value && "redis" in value;

/** The configuration of the region's host, as its file has it. */
export async function configOfHost({ configFile }: Region): Promise<HostConfig> {
  const config: unknown = JSON.parse(await readFile(configFile, "utf8"));
  if (isHostConfig(config)) return config;
  throw new Error("no configuration of a host");
}

/** Changes the file of the host; the roles don't know yet. */
export async function edit(region: Region, change: (config: HostConfig) => object): Promise<void> {
  await writeFile(region.configFile, JSON.stringify(change(await configOfHost(region)), undefined, 2));
}

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as an operator does. */
export async function reload({ configFile }: Region): Promise<Answer> {
  return new Promise((resolve) => {
    const args = [MAIN, "reload", "--config", configFile];
    const child = execFile(process.execPath, args, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
