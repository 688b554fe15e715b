import { allKeysOf, knownKeysOf } from "./known-keys.ts";
import { defaultModuleMistakes } from "./parse-config.ts";
import { type FileKind, parseYaml, readYaml, type RuleMistake } from "./parse-yaml.ts";
import { type ModulesFile, modulesFileSchema, type Plan, planSchema } from "./plan.ts";

const PLAN: FileKind<Plan> = {
  schema: planSchema,
  known: () => knownKeysOf(planSchema),
  exampleFile: "deploy/plan.example.yaml",
};

const MODULES: FileKind<ModulesFile> = {
  schema: modulesFileSchema,
  known: () => knownKeysOf(modulesFileSchema),
  exampleFile: "deploy/modules.example.yaml",
  looseRules: defaultModuleMistakes,
};

/** Throws a `ConfigError` with every mistake. `fileName` only serves the messages: nothing is read. */
export const parsePlan = (text: string, fileName: string): Plan =>
  parseYaml(PLAN, readYaml(text, fileName), brokenRules);

/** Throws a `ConfigError` with every mistake. `fileName` only serves the messages: nothing is read. */
export const parseModules = (text: string, fileName: string): ModulesFile =>
  parseYaml(MODULES, readYaml(text, fileName));

/** Every key a plan may have, as dotted paths. */
export const allPlanKeys = (): readonly string[] => allKeysOf(planSchema);

function brokenRules(plan: Plan): readonly RuleMistake[] {
  return [
    ...witnessMistakes(plan),
    ...twiceMistakes(plan),
    ...namesakeMistakes(plan),
    ...canaryMistakes(plan),
  ];
}

function witnessMistakes({ hosts, witness }: Plan): readonly RuleMistake[] {
  if (hosts.length === 2 && witness === undefined) {
    return [
      {
        path: ["hosts"],
        message: "two hosts need a `witness`: of two Sentinels none has a majority when a host is gone",
        hint: "add a small third machine: `witness: { name: w.eu.push.example, inside: 10.0.0.3 }`",
      },
    ];
  }
  if (hosts.length === 2 || witness === undefined) return [];
  return [
    {
      path: ["witness"],
      message: "serves two hosts; here is one",
      hint: "add a host, or remove the witness",
    },
  ];
}

/** Two machines under one name or address. */
function twiceMistakes({ hosts, witness }: Plan): readonly RuleMistake[] {
  const machines = [
    ...hosts.map(({ name, inside }, index) => ({ path: ["hosts", index], name, inside })),
    ...(witness === undefined ? [] : [{ path: ["witness"], ...witness }]),
  ];
  return (["name", "inside"] as const).flatMap((key) =>
    machines
      .filter((one, index) => machines.slice(0, index).some((other) => other[key] === one[key]))
      .map(({ path }) => ({
        path: [...path, key],
        message: "is that of another machine of this plan",
        hint: `each machine has ${key === "name" ? "a name" : "an inside address"} of its own`,
      })),
  );
}

function namesakeMistakes({ hostname, hosts, alsoServes }: Plan): readonly RuleMistake[] {
  const own = hosts.flatMap(({ name }, index) =>
    name === hostname
      ? [
          {
            path: ["hosts", index, "name"],
            message: "is the hostname of the region, which all its hosts share",
            hint: `for example: \`name: s${index + 1}.${hostname}\``,
          },
        ]
      : [],
  );
  const other = alsoServes.flatMap((one, index) =>
    one === hostname
      ? [
          {
            path: ["alsoServes", index],
            message: "is this region's own hostname",
            hint: "`alsoServes` lists those of other regions; remove this one",
          },
        ]
      : [],
  );
  return [...own, ...other];
}

/** A canary that no machine runs, or that proves nothing. */
function canaryMistakes({ canary, hosts, hostname, alsoServes }: Plan): readonly RuleMistake[] {
  if (canary === undefined) return [];
  const names = hosts.map(({ name }) => name);
  const own = [hostname, ...alsoServes];
  const place = URL.parse(canary.service)?.hostname;
  return [
    ...(names.includes(canary.host)
      ? []
      : [
          {
            path: ["canary", "host"],
            message: "is no host of this plan",
            hint: `one of ${names.join(", ")}`,
          },
        ]),
    ...(own.includes(canary.domain)
      ? [
          {
            path: ["canary", "domain"],
            message: "is served by this region itself",
            hint: "a canary has a domain of its own, at a front in another place: `domain: canary.example`",
          },
        ]
      : []),
    ...(hosts.some(({ inside, name }) => place === inside || place === name) || place === "127.0.0.1"
      ? [
          {
            path: ["canary", "service"],
            message: "is a front of this region, which would hand publishes over without s2s",
            hint: "name one in another place: another region's, or that of your own chat server",
          },
        ]
      : []),
  ];
}
