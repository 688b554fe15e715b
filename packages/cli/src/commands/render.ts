import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";

import { parseModules, parsePlan } from "@reveille/runtime";

import { filesOf } from "../render/files-of.ts";

/** `reveille render`: says on standard output what it has written. Throws a `ConfigError` with every mistake of the plan. */
export async function renderPlan(planFile: string, folder: string): Promise<void> {
  const plan = parsePlan(await textOf(planFile, "the plan"), planFile);
  const modulesFile = isAbsolute(plan.modulesFile)
    ? plan.modulesFile
    : join(dirname(planFile), plan.modulesFile);
  const modules = parseModules(await textOf(modulesFile, "`modulesFile` of the plan,"), modulesFile);
  for (const { path, text } of await filesOf(plan, modules)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    process.stdout.write(`${file}\n`);
  }
}

async function textOf(file: string, what: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read ${what} ${file}`, { cause });
  });
}
