import { isAbsolute, join } from "node:path";

import { humanTime } from "./durations.ts";
import { type FpushModule, type FpushSettings } from "./settings.ts";
import { accountFile, certificateFile, type ConvertOptions, moduleName } from "./new-names.ts";

/** For people: what is otherwise than before, and what they must do. */
export function differencesOf(settings: FpushSettings, options: ConvertOptions): readonly string[] {
  const { modules, unusable, ignored, component } = settings;
  return [
    ...unusable.map(
      (entry) => `${entry}; publishes for it are answered with item-not-found, which ends registrations`,
    ),
    ...modules.flatMap((module) => [...serviceDifferences(module, options), ...moduleDifferences(module)]),
    ...ignored.flatMap(keyDifference),
    ...(component.hostname === component.hostname.toLowerCase()
      ? []
      : [
          `${component.hostname} is written in small letters here, as XMPP compares names; write the front's component so, too`,
        ]),
    `redis.url is a guess: Reveille needs a Redis with maxmemory-policy noeviction and an AOF; fpush needed none`,
    `region and host are ${options.region === undefined || options.host === undefined ? "made from the hostname" : "as you said"}: compare them`,
    `the component ${component.hostname} is answered by one program at a time: stop fpush before you start \`reveille ingress\``,
    "secrets stand in files: front/component.secret, and apns/<module>.passphrase for each certificate that has one; root alone reads them, and systemd hands each role its own",
    "the front reads front/component.secret, too: chgrp prosody front/component.secret && chmod 640 front/component.secret",
    "a certificate may go on as it is; a signing key (.p8) of the team does not expire and serves all its apps",
    "a window holds for the whole region and over restarts; fpush counted on each node and forgot after ratelimitCleanupInterval",
    "within a window one push at its end stands for all further publishes, and they are answered with `result`, as by fpush of late",
    "an unknown module or a dead token is answered with `cancel`/item-not-found, our own troubles with `wait`; fpush told some servers to forget devices when it had trouble itself",
    "a push is kept by Apple or Google for 28 days when a device is off (expireAfter); fpush's expiry was a date in 1970",
    "logs name a device by a fingerprint, never by its token",
  ];
}

function moduleDifferences(module: FpushModule): readonly string[] {
  const { name, service, isLimited, isDefault, window } = module;
  return [
    ...(service.kind === "apple" && !isLimited
      ? [
          `module ${name}: fpush had its rate limit off; here the window is 1s, since Apple throttles devices that get more`,
        ]
      : []),
    ...(isLimited && humanTime(window) === undefined
      ? [
          `module ${name}: its ratelimitTime is no duration: ${JSON.stringify(window)}; here the window is 20s`,
        ]
      : []),
    ...(moduleName(name) === name
      ? []
      : [
          `module ${name} is called ${moduleName(name)} here; publishes that carry its old name reach it (aliases)`,
        ]),
    ...(isDefault
      ? [`module ${name} also serves publishes that name the module \`default\`, as fpush did (aliases)`]
      : []),
    ...("aps" in module.additionalData
      ? [`module ${name}: additionalData has a key \`aps\`, which belongs to Apple; left out`]
      : []),
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
              `module ${name}: ${whereIs(service.file, options)} could not be read, so replace modules.${moduleName(name)}.fcm.projectId by the project_id in it`,
            ]),
      ];
    case "other":
      return [
        `module ${name}: its type \`${service.type}\` is not taken over${isDefault ? ", though it was the default" : ""}; publishes for it are answered with item-not-found, which ends registrations`,
      ];
  }
}

/** As a shell takes it for one word. */
const inShell = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

const whereIs = (file: string, { certificates }: ConvertOptions): string =>
  isAbsolute(file) ? file : join(certificates, file);

/** What fpush's structs have and we do otherwise; `undefined`: said in the general lines. */
const KNOWN: readonly (readonly [RegExp, string | undefined])[] = [
  [/\.ratelimit\.ratelimitCleanupInterval$/, undefined],
  [
    /\.ratelimit\.hardRatelimitTime$/,
    "how long fpush left a device alone that Apple throttled; here a throttled push is sent again at growing intervals, until its deadline",
  ],
  [
    /\.blacklist\./,
    "how long fpush answered for a token that Apple had refused; here a dead token is forgotten after admission.forgetDeadAfter (7d)",
  ],
  [
    /^timeout(?:Config)?\.xmppconnectionError$/,
    "how long fpush waited to connect to the front again; here that takes 1 s at first, and grows",
  ],
  [
    /\.apns\.poolIdleTimeout$/,
    "after how long fpush closed an idle connection to Apple; here connections stay open, and are pinged when they are idle for 60 s",
  ],
  [
    /\.apns\.requestTimeout$/,
    "how long fpush waited for Apple's answer; here that is 10 s from sending, and the push is sent again",
  ],
];

function keyDifference(path: string): readonly string[] {
  const known = KNOWN.find(([shape]) => shape.test(path));
  if (known === undefined) return [`${path}: fpush's source has no such key; left out`];
  const [, otherwise] = known;
  return otherwise === undefined ? [] : [`${path}: ${otherwise}; left out`];
}
