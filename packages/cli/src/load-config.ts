import { readFile } from "node:fs/promises";

import {
  type CanaryFile,
  type Config,
  type FurtherRules,
  isOutside,
  parseCanaryFile,
  parseConfig,
} from "@reveille/runtime";

/** Throws a `ConfigError` with every mistake, or an error that names the file if it can't be read. */
export async function loadConfig(file: string, rules?: FurtherRules): Promise<Config> {
  return parseConfig(await textOf(file), file, rules);
}

/** The same for a canary, whose machine may belong to no region. */
export async function loadCanaryFile(file: string): Promise<CanaryFile> {
  return parseCanaryFile(await textOf(file), file);
}

/** Configuration of whatever machine a sidecar runs on. */
export type Machine =
  | { readonly kind: "host"; readonly config: Config }
  /** No publish goes through it: it has a canary. */
  | { readonly kind: "outside"; readonly config: CanaryFile };

/** The same for either kind; `rules` are a host's. */
export async function loadMachine(file: string, rules?: FurtherRules): Promise<Machine> {
  const text = await textOf(file);
  return isOutside(text)
    ? { kind: "outside", config: parseCanaryFile(text, file) }
    : { kind: "host", config: parseConfig(text, file, rules) };
}

const textOf = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(
      `cannot read the configuration ${file}: name another with --config or REVEILLE_CONFIG, or have \`reveille init\` write one`,
      { cause },
    );
  });
