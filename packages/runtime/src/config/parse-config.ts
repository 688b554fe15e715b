import { parseDocument } from "yaml";

import { type CanaryFile, canaryFileSchema, type Config, configSchema, moduleNames } from "./config.ts";
import { allKeysOf, knownKeysOf } from "./known-keys.ts";
import { type FileKind, parseYaml, type RuleMistake } from "./parse-yaml.ts";

const CONFIG: FileKind<Config> = {
  schema: configSchema,
  known: () => knownKeysOf(configSchema),
  exampleFile: "deploy/config.example.yaml",
  looseRules: defaultModuleMistakes,
};

/** Mistakes in a configuration that passes the schema. */
export type FurtherRules = (config: Config) => readonly RuleMistake[];

/**
 * Throws a `ConfigError` with every mistake; those against `rules` once there are no others. `fileName` only serves
 * the messages: nothing is read.
 */
export const parseConfig = (text: string, fileName: string, rules?: FurtherRules): Config =>
  parseYaml(CONFIG, { text, fileName }, rules);

const CANARY: FileKind<CanaryFile> = {
  schema: canaryFileSchema,
  known: () => knownKeysOf(canaryFileSchema),
  exampleFile: "deploy/config.example.yaml",
};

/** The same for a canary, which needs its own section and little else. Throws a `ConfigError` with every mistake. */
export const parseCanaryFile = (text: string, fileName: string): CanaryFile =>
  parseYaml(CANARY, { text, fileName });

/** Whether the file is of a machine outside of any region: it has a canary, and nothing that publishes go through. */
export function isOutside(text: string): boolean {
  const document = parseDocument(text, { logLevel: "error" });
  return document.has("canary") && !["redis", "ingress", "modules"].some((key) => document.has(key));
}

/** Every key a host's configuration may have, as dotted paths. */
export const allKeys = (): readonly string[] => allKeysOf(configSchema);

/** A default that is none of the modules. */
export function defaultModuleMistakes(raw: unknown): readonly RuleMistake[] {
  if (typeof raw !== "object" || raw === null || !("defaultModule" in raw)) return [];
  const known = moduleNames(raw);
  if (typeof raw.defaultModule !== "string" || known.includes(raw.defaultModule)) return [];
  const hint = `modules known here: ${known.join(", ")}`;
  return [{ path: ["defaultModule"], message: "names no module of `modules`", hint }];
}
