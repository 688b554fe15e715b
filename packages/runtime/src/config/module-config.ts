import { z } from "zod";

import { duration, isUrlOf, path, someTime, text } from "./leaves.ts";

/** How a module proves to Apple that it may push: a signing key of the team, or a certificate of the app. */
export type ApnsCredential =
  | { readonly kind: "key"; readonly keyFile: string; readonly keyId: string; readonly teamId: string }
  | {
      readonly kind: "certificate";
      readonly certFile: string;
      /** Absent: the key stands in `certFile` too (PKCS #12, or one PEM with both). */
      readonly certKeyFile?: string;
      readonly passphraseFile?: string;
    };

/** APNs settings of one module. */
export interface ApnsConfig {
  readonly topic: string;
  readonly environment: "production" | "sandbox";
  readonly credential: ApnsCredential;
  /** Another server than Apple's, e.g. a simulator. */
  readonly endpoint?: string;
  /** Authorities to trust instead of the system's. */
  readonly caFile?: string;
  /** HTTP proxy on the way, perhaps with the name of a user. */
  readonly proxy?: string;
  /** Password of that user. */
  readonly proxyPasswordFile?: string;
}

const appleId = (what: string, example: string) =>
  text((id) => /^[A-Z0-9]{10}$/.test(id), `${what} of ten capital letters and digits`, example);

const isProxy = (url: string): boolean => isUrlOf(["http:"], url);

const endpoint = text((url) => isUrlOf(["https:"], url), "an https URL", "https://127.0.0.1:8443").optional();
const caFile = path("/etc/reveille/apns/simulator-ca.pem").optional();
const proxy = text(isProxy, "an http URL without a password", "http://proxy.internal:3128").optional();
const proxyPasswordFile = path("/etc/reveille/apns/proxy.password").optional();

const apnsKeys = z.strictObject({
  topic: text((topic) => /^[A-Za-z0-9.-]{1,255}$/.test(topic), "the app's bundle id", "G7YU7X7KRJ.SworIM"),
  environment: z.enum(["production", "sandbox"]).meta({ examples: ["production"] }),
  keyFile: path("/etc/reveille/apns/AuthKey_ABC1234567.p8").optional(),
  keyId: appleId("Apple's key id", "ABC1234567").optional(),
  teamId: appleId("Apple's team id", "TEAM123456").optional(),
  certFile: path("/etc/reveille/apns/app.p12").optional(),
  certKeyFile: path("/etc/reveille/apns/app.key").optional(),
  passphraseFile: path("/etc/reveille/apns/app.passphrase").optional(),
  endpoint,
  caFile,
  proxy,
  proxyPasswordFile,
});
type ApnsKeys = z.output<typeof apnsKeys>;

const apnsConfig = z.codec(apnsKeys, z.custom<ApnsConfig>(), {
  decode: (keys, context) => {
    const { topic, environment, endpoint, caFile, proxy, proxyPasswordFile } = keys;
    const credential = credentialOf(keys);
    if (typeof credential === "string") {
      context.issues.push({
        code: "custom",
        message: credential,
        input: keys,
        params: { hint: CREDENTIAL_HINT },
      });
      return z.NEVER;
    }
    const elsewhere = {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(caFile === undefined ? {} : { caFile }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(proxyPasswordFile === undefined ? {} : { proxyPasswordFile }),
    };
    return { topic, environment, credential, ...elsewhere };
  },
  encode: ({ credential: { kind: _kind, ...files }, ...keys }) => ({ ...keys, ...files }),
});

const CREDENTIAL_HINT =
  "for example: `keyFile: /etc/reveille/apns/AuthKey_ABC1234567.p8`, `keyId: ABC1234567` and `teamId: TEAM123456`";

/** A credential, or what is wrong with it. */
function credentialOf(keys: ApnsKeys): ApnsCredential | string {
  const { keyFile, keyId, teamId, certFile, certKeyFile, passphraseFile } = keys;
  const hasKey = keyFile !== undefined || keyId !== undefined || teamId !== undefined;
  const hasCertificate = certFile !== undefined || certKeyFile !== undefined || passphraseFile !== undefined;
  if (hasKey === hasCertificate) {
    return "needs one credential: either `keyFile`, `keyId` and `teamId`, or `certFile`";
  }
  if (hasCertificate) {
    if (certFile === undefined) return "needs `certFile` beside `certKeyFile` or `passphraseFile`";
    const key = certKeyFile === undefined ? {} : { certKeyFile };
    const passphrase = passphraseFile === undefined ? {} : { passphraseFile };
    return { kind: "certificate", certFile, ...key, ...passphrase };
  }
  if (keyFile !== undefined && keyId !== undefined && teamId !== undefined) {
    return { kind: "key", keyFile, keyId, teamId };
  }
  return "needs all three of `keyFile`, `keyId` and `teamId`";
}

const alert = z.strictObject({
  title: z
    .string()
    .meta({ examples: ["New Message"] })
    .prefault("New Message"),
  body: z
    .string()
    .meta({ examples: ["New Message?"] })
    .prefault("New Message?"),
});

const custom = z
  .record(z.string(), z.json())
  .refine((keys) => !("aps" in keys), { error: "must not contain `aps`, which belongs to Apple" })
  .meta({ examples: [{ account: "push" }] });

const isCollapseId = (id: string): boolean => /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(id);

const fcmConfig = z.strictObject({
  projectId: text(
    // Of an organisation that made it long ago: with its domain before it.
    (id) => /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(id),
    "the id of a Google Cloud project",
    "my-project",
  ),
  serviceAccountFile: path("/etc/reveille/fcm/service-account.json"),
  endpoint,
  caFile,
  proxy,
  proxyPasswordFile,
});

/** A password without a user, or the other way round, is a half of a login. */
const hasWholeLogin = (module: {
  readonly apns?: Way | undefined;
  readonly fcm?: Way | undefined;
}): boolean =>
  [module.apns, module.fcm].every((way) => {
    const hasUser = way?.proxy !== undefined && URL.parse(way.proxy)?.username !== "";
    return hasUser === (way?.proxyPasswordFile !== undefined);
  });

interface Way {
  readonly proxy?: string | undefined;
  readonly proxyPasswordFile?: string | undefined;
}

const alias = text(
  (name) => /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/.test(name),
  "1 to 128 characters of ASCII",
  "default",
);

/** What is sent for the wakeups of one app, and by which credential. */
const moduleKeys = z.strictObject({
  apns: apnsConfig.optional(),
  fcm: fcmConfig.optional(),
  alert: alert.prefault({}),
  sound: z
    .string()
    .meta({ examples: ["default"] })
    .prefault("default"),
  /** 10: at once. 5: when it suits the device's battery. */
  priority: z
    .literal([10, 5])
    .meta({ examples: [10] })
    .prefault(10),
  /** How a wakeup is sent that nobody waits for; `background` shows nothing, and may not arrive. */
  quiet: z
    .enum(["alert", "background"])
    .meta({ examples: ["alert"] })
    .prefault("alert"),
  /** How long Apple keeps a push for a device that is offline. */
  expireAfter: duration.prefault("28d"),
  /** How long we try to hand a wakeup to Apple. */
  deadline: someTime.prefault("1h"),
  /** A newer notification replaces an older one of the same id on the device; absent: only a repeat of itself. */
  collapseId: text(isCollapseId, "1 to 64 characters of ASCII", "reveille").optional(),
  /** Least time between two pushes to a device, instead of `admission.window`. */
  window: someTime.optional(),
  /** Static top-level keys of the payload. */
  custom: custom.prefault({}),
  /** Other names that its publishes may carry. */
  aliases: z.array(alias).prefault([]),
});

export const moduleConfig = moduleKeys
  .refine(hasWholeLogin, {
    error: "has half a login for the proxy: a user in `proxy` and `proxyPasswordFile` belong together",
    params: {
      hint: "for example: `proxy: http://reveille@proxy.internal:3128` and `proxyPasswordFile: /etc/reveille/apns/proxy.password`",
    },
  })
  .refine(({ apns, fcm }) => (apns === undefined) !== (fcm === undefined), {
    error: "needs its push service: either `apns` or `fcm`",
    params: {
      hint: "for example: `fcm: { projectId: my-project, serviceAccountFile: /etc/reveille/fcm/service-account.json }`",
    },
  });

export type ModuleConfig = z.output<typeof moduleConfig>;
