import { type Millis } from "@reveille/wakeup";
import { z } from "zod";

import { address, type Address, duration, isUrlOf, path, text } from "./leaves.ts";

/** TLS towards Redis or a Sentinel. */
export interface RedisTlsConfig {
  /** Authorities to trust instead of the system's. */
  readonly caFile?: string | undefined;
  /** Certificate of this client, with `keyFile`. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The name that the server's certificate must have, if it is another one than the address. */
  readonly serverName?: string | undefined;
}

interface RedisAccess {
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly tls?: RedisTlsConfig | undefined;
}

interface SentinelAccess {
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPasswordFile?: string | undefined;
  readonly sentinelTls?: RedisTlsConfig | undefined;
}

/** The region's Redis: one server, or a primary that Sentinels know by name. */
export type RedisConfig = (
  | { readonly url: string }
  | ({ readonly sentinels: readonly Address[]; readonly name: string } & SentinelAccess)
) &
  RedisAccess & {
    /** Replicas that must have a wakeup before it counts as accepted (`WAIT`); 0: the primary alone. */
    readonly waitReplicas: number;
    /** Share of Redis' memory in use above which new wakeups are refused. */
    readonly memoryShare: number;
    /** Time between two rewrites of the append-only file. */
    readonly rewriteEvery: Millis;
  };

const SHORTEST_REWRITE = 60_000;
/** The next look may be a tenth of that later, and a rewrite takes its time: 15 minutes in all. */
const LONGEST_REWRITE = 13 * 60_000;

const SCHEMES = ["redis:", "rediss:", "redis+unix:"];

const username = text(
  (name) => /^[^\s:]{1,128}$/.test(name),
  "the name of a user, without blanks",
  "reveille",
).optional();

const tls = (folder: string) =>
  z
    .strictObject({
      caFile: path(`${folder}/ca.pem`).optional(),
      certFile: path(`${folder}/client.pem`).optional(),
      keyFile: path(`${folder}/client.key`).optional(),
      serverName: text(
        (name) => /^[A-Za-z0-9._-]{1,253}$/.test(name),
        "the name in the server's certificate",
        "redis.eu.push.example",
      ).optional(),
    })
    .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
      error: "needs `certFile` and `keyFile` together",
      params: { hint: "name both files of the client's certificate, or neither" },
    })
    .optional();

const keys = z.strictObject({
  url: text(
    (url) => isUrlOf(SCHEMES, url),
    "a URL redis://host:port, rediss://host:port or redis+unix:///path, without a password in it",
    "redis://127.0.0.1:6379",
  ).optional(),
  sentinels: z.array(address("10.0.0.1:26379")).min(1, "must name at least one Sentinel").optional(),
  name: text(
    (name) => /^[\w.-]{1,64}$/.test(name),
    "the name that Sentinels have for the primary",
    "reveille-eu",
  ).optional(),
  username,
  passwordFile: path("/etc/reveille/redis/password").optional(),
  tls: tls("/etc/reveille/redis"),
  sentinelUsername: username,
  sentinelPasswordFile: path("/etc/reveille/redis/sentinel-password").optional(),
  sentinelTls: tls("/etc/reveille/redis"),
  waitReplicas: z
    .int()
    .min(0)
    .max(5)
    .meta({ examples: [1] })
    .prefault(0),
  memoryShare: z
    .number()
    .min(0.1)
    .max(0.95)
    .meta({ examples: [0.7] })
    .prefault(0.7),
  rewriteEvery: duration
    .refine((length) => length >= SHORTEST_REWRITE, {
      error: "must be at least 1m: each rewrite writes all data",
    })
    .refine((length) => length <= LONGEST_REWRITE, {
      error: "must be at most 13m: a device token may be on disk for 15 minutes after its push",
    })
    .prefault("10m"),
});

type Keys = z.output<typeof keys>;

export const redisConfig = z.codec(keys, z.custom<RedisConfig>(), {
  decode: (given, context) => {
    const mistake = mistakeOf(given);
    if (mistake === undefined) {
      const { url, sentinels, name, sentinelUsername, sentinelPasswordFile, sentinelTls, ...rest } = given;
      if (url !== undefined) return present({ url, ...rest });
      if (sentinels !== undefined && name !== undefined)
        return present({ sentinels, name, ...rest, sentinelUsername, sentinelPasswordFile, sentinelTls });
    }
    const { message, hint } = mistake ?? NEITHER;
    context.issues.push({ code: "custom", message, input: given, params: { hint } });
    return z.NEVER;
  },
  encode: (config) => ("url" in config ? { ...config } : { ...config, sentinels: [...config.sentinels] }),
});

/** Without the keys that have no value. */
function present<T extends object>(all: T): T {
  for (const [key, value] of Object.entries(all)) if (value === undefined) Reflect.deleteProperty(all, key);
  return all;
}

interface WrongKeys {
  readonly message: string;
  readonly hint: string;
}

const NEITHER: WrongKeys = {
  message: "needs either `url`, or `sentinels` and `name`",
  hint: 'for example: `url: redis://127.0.0.1:6379`, or `sentinels: ["10.0.0.1:26379"]` and `name: eu`',
};

/** What the keys say together that none of them says alone. */
function mistakeOf(given: Keys): WrongKeys | undefined {
  const { url, sentinels, name, username, passwordFile, tls } = given;
  const isOne = url !== undefined && sentinels === undefined && name === undefined;
  if (!isOne && !(url === undefined && sentinels !== undefined && name !== undefined)) return NEITHER;
  const { sentinelUsername, sentinelPasswordFile, sentinelTls } = given;
  const ofSentinels = { sentinelUsername, sentinelPasswordFile, sentinelTls };
  const [needless] = Object.entries(ofSentinels).flatMap(([key, value]) =>
    value === undefined ? [] : [key],
  );
  if (isOne && needless !== undefined)
    return { message: `has \`${needless}\` without Sentinels`, hint: `remove it, or name \`sentinels\`` };
  if (isOne && tls !== undefined && !url.startsWith("rediss:"))
    return { message: "has `tls`, but a URL without TLS", hint: "begin `url` with rediss://" };
  if (username !== undefined && passwordFile === undefined)
    return { message: "has `username` without `passwordFile`", hint: "put its password into a file" };
  if (sentinelUsername !== undefined && sentinelPasswordFile === undefined)
    return {
      message: "has `sentinelUsername` without `sentinelPasswordFile`",
      hint: "put its password into a file",
    };
  return undefined;
}
