import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { type FpushSettings } from "./settings.ts";

/**
 * The project of each module for FCM, which fpush takes from the service account. `folder`: what relative paths are
 * relative to. A file that cannot be read, or names no project, is left out.
 */
export async function googleProjects(
  { modules }: FpushSettings,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    modules.map(async ({ name, service }) => {
      const project = service.kind === "google" ? await projectIn(resolve(folder, service.file)) : undefined;
      return project === undefined ? [] : [[name, project] as const];
    }),
  );
  return new Map(found.flat());
}

async function projectIn(file: string): Promise<string | undefined> {
  try {
    const account: unknown = JSON.parse(await readFile(file, "utf8"));
    const isAccount = typeof account === "object" && account !== null && "project_id" in account;
    return isAccount && typeof account.project_id === "string" ? account.project_id : undefined;
  } catch {
    // Not on this machine, or no service account: the list of differences says so.
    return undefined;
  }
}
