import { readFile } from "node:fs/promises";

import { type Config, type FurtherRules, parseConfig } from "@reveille/runtime";

/** Throws a `ConfigError` with every mistake, or an error that names the file if it can't be read. */
export async function loadConfig(file: string, rules?: FurtherRules): Promise<Config> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read the configuration ${file}`, { cause });
  });
  return parseConfig(text, file, rules);
}
