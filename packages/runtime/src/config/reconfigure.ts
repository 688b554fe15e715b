import { z } from "zod";

import { canaryFileSchema, type Config, configSchema } from "./config.ts";
import { type Machine } from "./parse-config.ts";

/** One key that differs between two configurations; values as they stand in YAML, `undefined` where the key is absent. */
export interface ConfigChange {
  /** Dotted path, e.g. `modules.monalProdiOS.window`. */
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
  /** The key names this file and still does; what has changed is the content of the file. */
  readonly file?: string;
}

export interface Reconfiguration {
  /** What a role may work by from now on: the new values where they apply at once, and else the old ones. */
  readonly config: Config;
  readonly applied: readonly ConfigChange[];
  /** What waits for a restart of the roles. */
  readonly forRestart: readonly ConfigChange[];
}

/** Keys, with all below them, that a running role takes over. */
const AT_ONCE = [
  "modules",
  "defaultModule",
  "retiredModules",
  "admission",
  "ingress.domainLimit",
  "ingress.queryLimit",
  "ingress.countDomains",
  "redis.memoryShare",
  "worker.pushesAtOnce",
  "log.level",
] as const;

const isAtOnce = (key: string): boolean => AT_ONCE.some((path) => key === path || key.startsWith(`${path}.`));

/** What becomes of a running role when its configuration is to be another one. Neither has a secret in it. */
export function reconfigure(before: Config, after: Config): Reconfiguration {
  const changes = changesOf(z.encode(configSchema, before), z.encode(configSchema, after));
  const forRestart = changes.filter(({ key }) => !isAtOnce(key));
  return {
    config: forRestart.length === 0 ? after : mixed(before, after),
    applied: changes.filter(({ key }) => isAtOnce(key)),
    forRestart,
  };
}

/** The old configuration with the parts of the new one that apply at once. */
function mixed(before: Config, after: Config): Config {
  const { redis, ingress, worker, log, modules, admission, defaultModule, retiredModules } = after;
  const { defaultModule: _old, retiredModules: _retired, ...rest } = before;
  return {
    ...rest,
    ingress: { ...ingress, components: before.ingress.components },
    redis: { ...before.redis, memoryShare: redis.memoryShare },
    worker: { ...before.worker, pushesAtOnce: worker.pushesAtOnce },
    log: { ...before.log, level: log.level },
    admission,
    modules,
    ...(defaultModule === undefined ? {} : { defaultModule }),
    ...(retiredModules === undefined ? {} : { retiredModules }),
  };
}

/** What differs for a role that reads its configuration when it starts and never again. */
export const machineChanges = (before: Machine, after: Machine): readonly ConfigChange[] =>
  changesOf(encoded(before), encoded(after));

const encoded = ({ kind, config }: Machine): unknown =>
  kind === "host" ? z.encode(configSchema, config) : z.encode(canaryFileSchema, config);

function changesOf(before: unknown, after: unknown): readonly ConfigChange[] {
  const [old, wanted] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...old.keys(), ...wanted.keys()])]
    .toSorted((one, other) => one.localeCompare(other))
    .map((key) => ({ key, before: old.get(key), after: wanted.get(key) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** Every value by its dotted path; lists, and tables that are empty, count as one value. */
function leavesOf(config: unknown): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
    const entries = isTable ? Object.entries(value) : [];
    if (entries.length === 0) leaves.set(path, value);
    for (const [name, below] of entries) walk(below, path === "" ? name : `${path}.${name}`);
  };
  walk(config, "");
  leaves.forEach((value, key) => void (value === undefined && leaves.delete(key)));
  return leaves;
}
