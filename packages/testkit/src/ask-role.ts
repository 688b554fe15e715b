import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ask } from "./ask.ts";
import { fieldsOf } from "./fields-of.ts";

/** A process that reports on a Unix socket. */
export interface ReportingRole {
  readonly role: "front" | "ingress" | "worker" | "canary";
  /** As in the configuration of its host. */
  readonly runtimeDir: string;
  readonly pid: number;
}

/**
 * Rejects until the role works: it reports, a front listens, and an ingress or worker has its Redis, which it opens before all
 * else.
 */
export async function askRole({ role, runtimeDir, pid }: ReportingRole): Promise<void> {
  const path = join(runtimeDir, `${role}-${pid}.sock`);
  const report: unknown = JSON.parse(await ask({ kind: "http", at: { path }, url: "/report?metrics=none" }));
  const { parts } = fieldsOf(report);
  if (!Array.isArray(parts)) throw new Error(`${role} reports no parts`);
  const waits = parts.map(fieldsOf).some(({ part, health }) => part === "redis" && !isReady(health));
  if (waits) throw new Error(`${role} waits for its Redis`);
  if (parts.map(fieldsOf).some(({ health }) => role === "front" && fieldsOf(health)["kind"] === "starting"))
    throw new Error("the front does not listen yet");
}

const isReady = (health: unknown): boolean => fieldsOf(health)["kind"] === "ready";

/** How any role is asked whether it works, by the configuration that it reads: in JSON, with `runtimeDir` and `sidecar.listen`. */
export async function readinessOf(
  role: ReportingRole["role"] | "sidecar",
  configFile: string,
): Promise<(pid: number) => Promise<unknown>> {
  const { runtimeDir, sidecar } = fieldsOf(JSON.parse(await readFile(configFile, "utf8")));
  if (role !== "sidecar") return async (pid) => askRole({ role, runtimeDir: String(runtimeDir), pid });
  const port = Number(String(fieldsOf(sidecar)["listen"]).split(":").at(-1));
  return async () => ask({ kind: "http", at: { port }, url: "/live" });
}
