import { readFile } from "node:fs/promises";

import {
  type RedisLogin,
  type RedisSettings,
  type RedisTls,
  type SentinelWatch,
  watchSentinels,
} from "@reveille/queue";
import { type Config, type Logger, type RedisTlsConfig } from "@reveille/runtime";
import { type Clock } from "@reveille/wakeup";

import { secretFrom } from "./process.ts";
import { secretPath } from "../secrets/secret-path.ts";

/** The region's Redis as the configuration has it; reads the passwords and certificates that it names. */
export async function redisSettingsOf({ redis }: Pick<Config, "redis">, log: Logger): Promise<RedisSettings> {
  const { username, passwordFile, tls } = redis;
  const login = await loginOf(
    { keys: ["redis.passwordFile", "redis.tls"], username, passwordFile, tls },
    log,
  );
  if ("url" in redis) return { url: redis.url, ...login };
  const { sentinels, name, sentinelUsername, sentinelPasswordFile, sentinelTls } = redis;
  const ofSentinels = {
    keys: ["redis.sentinelPasswordFile", "redis.sentinelTls"],
    username: sentinelUsername,
    passwordFile: sentinelPasswordFile,
    tls: sentinelTls,
  } as const;
  return { sentinels, name, ...login, sentinelLogin: await loginOf(ofSentinels, log) };
}

interface LoginFiles {
  /** Of the password's file and of TLS, for messages. */
  readonly keys: readonly [string, string];
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
  readonly tls: RedisTlsConfig | undefined;
}

async function loginOf({ keys, username, passwordFile, tls }: LoginFiles, log: Logger): Promise<RedisLogin> {
  const [passwordKey, tlsKey] = keys;
  return {
    ...(username === undefined ? {} : { username }),
    ...(passwordFile === undefined ? {} : { password: await secretFrom(passwordFile, passwordKey, log) }),
    ...(tls === undefined ? {} : { tls: await tlsOf(tls, tlsKey, log) }),
  };
}

async function tlsOf(
  { caFile, certFile, keyFile, serverName }: RedisTlsConfig,
  key: string,
  log: Logger,
): Promise<RedisTls> {
  return {
    ...(caFile === undefined ? {} : { ca: await certificatesIn(caFile, `${key}.caFile`) }),
    ...(certFile === undefined ? {} : { cert: await certificatesIn(certFile, `${key}.certFile`) }),
    ...(keyFile === undefined ? {} : { key: await secretFrom(keyFile, `${key}.keyFile`, log) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** No secret, so that nobody is warned of who may read it. */
async function certificatesIn(file: string, key: string): Promise<string> {
  return readFile(secretPath(file), "utf8").catch((cause: unknown) => {
    throw new Error(`cannot read ${file}, the file that \`${key}\` names`, { cause });
  });
}

/** Looks at the region's Sentinels; `undefined` if there are none. */
export async function openSentinels(
  { redisSettings }: { readonly redisSettings: RedisSettings },
  clock: Clock,
): Promise<SentinelWatch | undefined> {
  return "url" in redisSettings ? undefined : watchSentinels(redisSettings, clock);
}
