import { readFile } from "node:fs/promises";

import {
  type CanaryFile,
  type Config,
  type FurtherRules,
  type Machine,
  parseCanaryFile,
  parseConfig,
  parseMachine,
} from "@reveille/runtime";

/** Throws a `ConfigError` with every mistake, or an error that names the file if it can't be read. */
export async function loadConfig(file: string, rules?: FurtherRules): Promise<Config> {
  return parseConfig(await textOf(file), file, rules);
}

/** The same for a canary, whose machine may belong to no region. */
export async function loadCanaryFile(file: string): Promise<CanaryFile> {
  return parseCanaryFile(await textOf(file), file);
}

/** The same for whatever machine a sidecar runs on; `rules` are a host's. */
export async function loadMachine(file: string, rules?: FurtherRules): Promise<Machine> {
  return parseMachine(await textOf(file), file, rules);
}

const textOf = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(
      `cannot read the configuration ${file}: name another with --config or REVEILLE_CONFIG, or have \`reveille init\` write one`,
      { cause },
    );
  });
