import { isAbsolute, join } from "node:path";

import { describeConfig, formatDuration, parseConfig, parseDuration } from "@reveille/runtime";
import { isRegion, type Millis, millis } from "@reveille/wakeup";

import { type FpushModule, type FpushSettings } from "./settings.ts";

export interface ConvertOptions {
  /** Where the secrets will stand. */
  readonly folder: string;
  /** What fpush's relative paths are relative to. */
  readonly certificates: string;
  /** Google's project of each module for FCM, as far as it is known. */
  readonly projects: ReadonlyMap<string, string>;
  readonly region?: string;
  readonly host?: string;
}

export interface Converted {
  /** Our configuration, as YAML; it is valid. */
  readonly config: string;
  readonly secrets: readonly { readonly path: string; readonly secret: string }[];
  /** For people: what is otherwise than before, and what they must do. */
  readonly differences: readonly string[];
}

/** Throws a `ConfigError` for settings that fpush takes and we do not, e.g. a strange name of a module. */
export function convertSettings(settings: FpushSettings, options: ConvertOptions): Converted {
  const { component } = settings;
  const served = settings.modules.filter(({ service }) => service.kind !== "other");
  if (served.length === 0) {
    throw new Error("no module of the type `apple`, `fcm` or `google` is in these settings");
  }
  const secretFile = join(options.folder, "front", "component.secret");
  const passphrases = served.flatMap(({ name, service }) =>
    service.kind === "apple" && service.password !== ""
      ? [{ path: passphraseFile(name, options), secret: service.password }]
      : [],
  );
  const defaultModule = served.find(({ isDefault }) => isDefault)?.name;
  const raw = {
    region: options.region ?? regionOf(component.hostname),
    host: options.host ?? `s1.${component.hostname}`,
    redis: { url: "redis://127.0.0.1:6379" },
    ingress: {
      components: [
        {
          service: `xmpp://${bracketed(component.server)}:${component.port}`,
          domain: component.hostname,
          secretFile,
        },
      ],
    },
    ...(defaultModule === undefined ? {} : { defaultModule }),
    modules: Object.fromEntries(served.map((module) => [module.name, moduleOf(module, options)])),
  };
  // JSON is YAML, so this finds what our schema has against it.
  const config = describeConfig(parseConfig(JSON.stringify(raw), "the converted configuration"));
  return {
    config,
    secrets: [{ path: secretFile, secret: component.key }, ...passphrases],
    differences: differencesOf(settings, options),
  };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Our units read secrets from these folders. */
const certificateFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "apns", `${module}.p12`);

const accountFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "fcm", `${module}.json`);

const passphraseFile = (module: string, { folder }: ConvertOptions): string =>
  join(folder, "apns", `${module}.passphrase`);

function regionOf(hostname: string): string {
  const [first = ""] = hostname.split(".");
  return isRegion(first) ? first : "eu";
}

const moduleOf = (module: FpushModule, options: ConvertOptions): object => ({
  ...serviceOf(module, options),
  window: formatDuration(windowOf(module)),
});

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

const SHORTEST = millis(1_000);

/** fpush without limit becomes our shortest sensible window. */
function windowOf({ name, window, isLimited }: FpushModule): Millis {
  if (!isLimited) return SHORTEST;
  // serde_humantime adds up parts such as `1m 30s`, and knows longer names of units.
  const parts = window
    .trim()
    .split(/\s+(?=\d)/)
    .map((part) => parseDuration(shortUnit(part)));
  const sum = parts.reduce<number | undefined>(
    (total, part) => (total === undefined || part === undefined ? undefined : total + part),
    0,
  );
  if (sum === undefined || sum === 0) {
    throw new Error(
      `pushModules.${name}.ratelimit.ratelimitTime is no duration we know: ${JSON.stringify(window)}`,
    );
  }
  return millis(sum);
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(\d+)\s*(?:milliseconds?|millis|msec|ms)$/, "ms"],
  [/^(\d+)\s*(?:seconds?|secs?|s)$/, "s"],
  [/^(\d+)\s*(?:minutes?|mins?|m)$/, "m"],
  [/^(\d+)\s*(?:hours?|hrs?|hr|h)$/, "h"],
  [/^(\d+)\s*(?:days?|d)$/, "d"],
];

function shortUnit(part: string): string {
  for (const [shape, unit] of UNITS) {
    const [, amount] = shape.exec(part) ?? [];
    if (amount !== undefined) return `${amount}${unit}`;
  }
  return part;
}

function differencesOf(
  { modules, ignored, component }: FpushSettings,
  options: ConvertOptions,
): readonly string[] {
  const own = modules.flatMap((module) => [
    ...serviceDifferences(module, options),
    ...(module.service.kind === "apple" && !module.isLimited
      ? [
          `module ${module.name}: fpush had its rate limit off; here the window is 1s, since Apple throttles devices that get more`,
        ]
      : []),
  ]);
  const lost = ignored.filter((path) => !KNOWN.some((known) => known.test(path)));
  return [
    ...own,
    ...lost.map((path) => `${path}: fpush has no such key that we know; left out`),
    `redis.url is a guess: Reveille needs a Redis with maxmemory-policy noeviction and an AOF; fpush needed none`,
    `region and host are ${options.region === undefined || options.host === undefined ? "made from the hostname" : "as you said"}: compare them`,
    `the component ${component.hostname} is answered by one program at a time: stop fpush before you start \`reveille ingress\``,
    "secrets stand in files: front/component.secret, and apns/<module>.passphrase for each certificate that has one",
    "a certificate may go on as it is; a signing key (.p8) of the team does not expire and serves all its apps",
    "a window holds for the whole region and over restarts; fpush counted on each node and forgot after ratelimitCleanupInterval",
    "within a window one push at its end stands for all further publishes, and they are answered with `result`; fpush answered `wait`",
    "an unknown module or a dead token hears `cancel`/item-not-found, our own troubles `wait`; fpush told some servers to forget devices when it had trouble itself",
    "a push is kept by Apple or Google for 28 days when a device is off (expireAfter); fpush's expiry was a date in 1970",
    "logs name a device by a fingerprint, never by its token",
  ];
}

function serviceDifferences(
  { name, service, isDefault }: FpushModule,
  options: ConvertOptions,
): readonly string[] {
  const copy = (from: string, to: string): string =>
    `install -m 600 ${inShell(whereIs(from, options))} ${inShell(to)}`;
  switch (service.kind) {
    case "apple":
      return [`module ${name}: copy its certificate: ${copy(service.file, certificateFile(name, options))}`];
    case "google":
      return [
        `module ${name}: copy its service account: ${copy(service.file, accountFile(name, options))}`,
        `module ${name}: messages have the priority high, which wakes a device that dozes; fpush gave none, and Google takes that for normal`,
        ...(options.projects.has(name)
          ? []
          : [
              `module ${name}: ${whereIs(service.file, options)} could not be read, so replace modules.${name}.fcm.projectId by the project_id in it`,
            ]),
      ];
    case "other":
      return [
        `module ${name}: its type \`${service.type}\` is not taken over${isDefault ? ", though it was the default" : ""}; publishes for it would hear item-not-found, which ends registrations`,
      ];
  }
}

/** As a shell takes it for one word. */
const inShell = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

const whereIs = (file: string, { certificates }: ConvertOptions): string =>
  isAbsolute(file) ? file : join(certificates, file);

/** What fpush knows and we have no use for; said in the general lines. */
const KNOWN: readonly RegExp[] = [
  /\.ratelimit\.(?:ratelimitCleanupInterval|hardRatelimitTime)$/,
  /\.blacklist\./,
  /^timeout(?:Config)?\.xmppconnectionError$/,
];
