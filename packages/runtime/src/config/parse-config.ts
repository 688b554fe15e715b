import { type CanaryFile, canaryFileSchema, type Config, configSchema, moduleNames } from "./config.ts";
import { allKeysOf, knownKeysOf } from "./known-keys.ts";
import { type FileKind, parseYaml, readYaml, type RuleMistake } from "./parse-yaml.ts";

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
  parseYaml(CONFIG, readYaml(text, fileName), rules);

const CANARY: FileKind<CanaryFile> = {
  schema: canaryFileSchema,
  known: () => knownKeysOf(canaryFileSchema),
  exampleFile: "deploy/config.example.yaml",
};

/** The same for a canary, which needs its own section and little else. Throws a `ConfigError` with every mistake. */
export const parseCanaryFile = (text: string, fileName: string): CanaryFile =>
  parseYaml(CANARY, readYaml(text, fileName));

/** Configuration of whatever machine a sidecar runs on. */
export type Machine =
  | { readonly kind: "host"; readonly config: Config }
  /** No publish goes through it: it has a canary. */
  | { readonly kind: "outside"; readonly config: CanaryFile };

/** The same for either kind; `rules` are a host's. Throws a `ConfigError` with every mistake. */
export function parseMachine(text: string, fileName: string, rules?: FurtherRules): Machine {
  const yaml = readYaml(text, fileName);
  return isOutside(yaml.raw)
    ? { kind: "outside", config: parseYaml(CANARY, yaml) }
    : { kind: "host", config: parseYaml(CONFIG, yaml, rules) };
}

const isOutside = (raw: unknown): boolean =>
  typeof raw === "object" &&
  raw !== null &&
  "canary" in raw &&
  !["redis", "ingress", "modules"].some((key) => key in raw);

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
