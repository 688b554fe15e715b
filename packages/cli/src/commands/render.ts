import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";

import { parseModules, parsePlan } from "@reveille/runtime";

import { refuseLinks } from "../secrets/refuse-links.ts";
import { filesOf } from "../render/files-of.ts";
import { writeSecrets } from "../render/region-secrets.ts";
import { writeRendered } from "../render/write-rendered.ts";

/** `reveille render`: says on standard output what it has written. Throws a `ConfigError` with every mistake of the plan. */
export async function renderPlan(planFile: string, folder: string): Promise<void> {
  const plan = parsePlan(await textOf(planFile, "the plan"), planFile);
  const modulesFile = isAbsolute(plan.modulesFile)
    ? plan.modulesFile
    : join(dirname(planFile), plan.modulesFile);
  const modules = parseModules(await textOf(modulesFile, "`modulesFile` of the plan,"), modulesFile);
  const files = await filesOf(plan, modules);
  await refuseLinks(
    folder,
    files.map(({ path }) => path),
  );
  await writeRendered(folder, files);
  for (const path of await writeSecrets(folder, plan)) process.stdout.write(`${join(folder, path)}\n`);
}

async function textOf(file: string, what: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read ${what} ${file}`, { cause });
  });
}
