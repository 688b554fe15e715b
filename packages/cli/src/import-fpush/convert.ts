import { join } from "node:path";

import { ConfigError, describeConfig, formatDuration, parseConfig } from "@reveille/runtime";
import { isRegion, type Millis, seconds } from "@reveille/wakeup";

import { differencesOf } from "./differences.ts";
import { humanTime } from "./durations.ts";
import {
  accountFile,
  certificateFile,
  type ConvertOptions,
  moduleName,
  passphraseFile,
} from "./new-names.ts";
import { type FpushModule, type FpushSettings } from "./settings.ts";

export interface Converted {
  /** Our configuration, as YAML; it is valid. */
  readonly config: string;
  readonly secrets: readonly { readonly path: string; readonly secret: string }[];
  /** For people: what is otherwise than before, and what they must do. */
  readonly differences: readonly string[];
}

/**
 * Throws a `ConfigError` for settings of the component that fpush takes and we do not, and an Error if no module is left. A
 * module that cannot be taken over is left out, and among the differences.
 */
export function convertSettings(settings: FpushSettings, options: ConvertOptions): Converted {
  const hostOf = hostPartOf(settings, options);
  // Without modules of its own the host's part would not be valid.
  parseHost({ ...hostOf, modules: ANY_MODULE });
  const { served, unusable } = servedOf(settings, options, hostOf);
  const others = settings.modules.filter(({ service }) => service.kind === "other");
  const left = {
    ...settings,
    modules: [...served, ...others],
    unusable: [...settings.unusable, ...unusable],
  };
  if (served.length === 0) {
    const why = left.unusable.length === 0 ? "" : `: ${left.unusable.join("; ")}`;
    throw new Error(`no module of the type \`apple\`, \`fcm\` or \`google\` is in these settings${why}`);
  }
  const ofDefault = served.find(({ isDefault }) => isDefault);
  // Where another module is called so itself, fpush serves one of the two: which, is chance.
  const takesDefault = served.some(({ name }) => name === DEFAULT) ? undefined : ofDefault?.name;
  const modules = served.map((module): [string, object] => [
    moduleName(module.name),
    moduleOf(module, options, module.name === takesDefault ? [DEFAULT] : []),
  ]);
  const raw = {
    ...hostOf,
    ...(ofDefault === undefined ? {} : { defaultModule: moduleName(ofDefault.name) }),
    modules: Object.fromEntries<object>(modules),
  };
  return {
    config: describeConfig(parseHost(raw)),
    secrets: secretsOf({ ...settings, modules: served }, options),
    differences: differencesOf(left, options),
  };
}

/** fpush serves its default module by this name, too. */
const DEFAULT = "default";

// JSON is YAML, so this finds what our schema has against it.
const parseHost = (raw: object) => parseConfig(JSON.stringify(raw), "the converted configuration");

const ANY_MODULE = { any: { apns: { topic: "any", environment: "production", certFile: "/any" } } };

function hostPartOf({ component }: FpushSettings, options: ConvertOptions) {
  // XMPP compares names of hosts without regard to case.
  const domain = component.hostname.toLowerCase();
  const service = `xmpp://${bracketed(component.server)}:${component.port}`;
  return {
    region: options.region ?? regionOf(domain),
    host: options.host ?? `s1.${domain}`,
    redis: { url: "redis://127.0.0.1:6379" },
    ingress: { components: [{ service, domain, secretFile: componentSecretFile(options) }] },
  };
}

const componentSecretFile = ({ folder }: ConvertOptions): string => join(folder, "front", "component.secret");

function secretsOf({ component, modules }: FpushSettings, options: ConvertOptions): Converted["secrets"] {
  const passphrases = modules.flatMap(({ name, service }) =>
    service.kind === "apple" && service.password !== ""
      ? [{ path: passphraseFile(name, options), secret: service.password }]
      : [],
  );
  return [{ path: componentSecretFile(options), secret: component.key }, ...passphrases];
}

/** Those that our schema takes, each under a name of its own. */
function servedOf({ modules }: FpushSettings, options: ConvertOptions, hostPart: object) {
  const served = new Map<string, FpushModule>();
  const unusable: string[] = [];
  for (const module of modules.filter(({ service }) => service.kind !== "other")) {
    const name = moduleName(module.name);
    const twin = served.get(name)?.name;
    const because =
      twin === undefined
        ? mistakeOf({ ...hostPart, modules: { [name]: moduleOf(module, options, []) } })
        : `it would be called ${name} here, as ${twin} is; rename it`;
    if (because === undefined) served.set(name, module);
    else unusable.push(`module ${module.name} is left out: ${because}`);
  }
  return { served: [...served.values()], unusable };
}

function mistakeOf(raw: object): string | undefined {
  try {
    parseHost(raw);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(/\s+/g, " ");
    throw error;
  }
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function regionOf(hostname: string): string {
  const [first = ""] = hostname.split(".");
  return isRegion(first) ? first : "eu";
}

function moduleOf(module: FpushModule, options: ConvertOptions, aliases: readonly string[]): object {
  const { name, additionalData } = module;
  const { aps: _ofApple, ...custom } = additionalData;
  return {
    ...serviceOf(module, options),
    window: formatDuration(windowOf(module)),
    custom,
    aliases: [...aliases, ...(moduleName(name) === name ? [] : [name])],
  };
}

function serviceOf({ name, service }: FpushModule, options: ConvertOptions): object {
  switch (service.kind) {
    case "apple": {
      const { password, topic, sandbox } = service;
      const environment = sandbox ? "sandbox" : "production";
      const certFile = certificateFile(name, options);
      const passphrase = password === "" ? {} : { passphraseFile: passphraseFile(name, options) };
      return { apns: { topic, environment, certFile, ...passphrase } };
    }
    case "google": {
      const projectId = options.projects.get(name) ?? UNKNOWN_PROJECT;
      return { fcm: { projectId, serviceAccountFile: accountFile(name, options) } };
    }
    case "other":
      return {};
  }
}

/** Nobody's, so that Google refuses it until people have put theirs in its place. */
const UNKNOWN_PROJECT = "put-your-project-here";

const SHORTEST = seconds(1);
/** fpush's own default. */
const USUAL = seconds(20);

/** fpush without limit becomes our shortest sensible window. */
const windowOf = ({ window, isLimited }: FpushModule): Millis =>
  isLimited ? (humanTime(window) ?? USUAL) : SHORTEST;
