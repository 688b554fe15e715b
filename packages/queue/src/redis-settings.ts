import { isIP } from "node:net";

import { type RedisOptions } from "ioredis";

import { QuietSentinels } from "./quiet-sentinels.ts";

/** Where the region's Redis is: one address, or Sentinels that know it. */
export type RedisSettings = RedisAddress | RedisSentinels;

export interface RedisAddress extends RedisLogin {
  /** `redis://host:6379/0`, `rediss://…` (TLS) or `redis+unix:///path/redis.sock`. */
  readonly url: string;
}

export interface RedisSentinels extends RedisLogin {
  readonly sentinels: readonly SentinelAddress[];
  /** Name of the primary in the Sentinels' configuration. */
  readonly name: string;
  /** What the Sentinels themselves ask for. */
  readonly sentinelLogin?: RedisLogin;
}

export interface SentinelAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  /** Present: the connection uses TLS. */
  readonly tls?: RedisTls;
}

/** All PEM, by content. */
export interface RedisTls {
  /** Authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Certificate of this client, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, if it is not the address. */
  readonly serverName?: string;
}

/** What `because` and error messages may say of the settings: never the login. */
export function describeRedis(settings: RedisSettings): string {
  if (!("url" in settings)) return `${settings.name} by Sentinel`;
  const url = new URL(settings.url);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Throws an Error if the URL is none of the three forms. */
export function ioredisOptions(settings: RedisSettings): RedisOptions {
  if ("url" in settings) return { ...addressOf(settings.url, settings.tls), ...loginOf(settings) };
  const { username, password, tls } = settings.sentinelLogin ?? {};
  return {
    ...loginOf(settings),
    ...(settings.tls === undefined ? {} : { tls: tlsOf(settings.tls), enableTLSForSentinelMode: true }),
    sentinels: settings.sentinels.map(({ host, port }) => ({ host, port })),
    name: settings.name,
    role: "master",
    // An option, since BullMQ duplicates connections by their options.
    Connector: QuietSentinels,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls === undefined ? {} : { sentinelTLS: tlsOf(tls) }),
    // Without it a primary that hangs (and does not refuse) holds its clients for ever (ioredis issue 1314).
    failoverDetector: true,
    sentinelRetryStrategy: (attempt) => Math.min(50 * attempt, 500),
    // Sentinels are asked one after the other: one that hangs must not keep us from the next one.
    sentinelCommandTimeout: 1_000,
  };
}

/** For a connection to one of the Sentinels themselves. */
export const sentinelOptions = (
  { sentinelLogin = {} }: Pick<RedisSentinels, "sentinelLogin">,
  { host, port }: SentinelAddress,
): RedisOptions => ({
  host,
  port,
  ...loginOf(sentinelLogin),
  ...(sentinelLogin.tls === undefined ? {} : { tls: tlsOf(sentinelLogin.tls) }),
});

function loginOf({ username, password }: RedisLogin): RedisOptions {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

const tlsOf = ({ serverName, ...pem }: RedisTls) => ({
  ...pem,
  ...(serverName === undefined ? {} : { servername: serverName }),
});

function addressOf(text: string, tls: RedisTls | undefined): RedisOptions {
  const url = URL.parse(text);
  if (url === null) throw new Error("no Redis URL");
  switch (url.protocol) {
    case "redis+unix:":
      return { path: decodeURIComponent(url.pathname), ...loginIn(url) };
    case "redis:":
      return { ...hostOf(url), ...loginIn(url) };
    case "rediss:":
      return { ...hostOf(url), ...loginIn(url), tls: tlsOf({ ...nameOf(url), ...tls }) };
    default:
      throw new Error("a Redis URL begins with redis://, rediss:// or redis+unix://");
  }
}

/** Node sends no name to the server (SNI) unless it is told one, which may be no address. */
const nameOf = ({ hostname }: URL): RedisTls =>
  hostname.startsWith("[") || isIP(hostname) !== 0 ? {} : { serverName: hostname };

function hostOf(url: URL): RedisOptions {
  const db = Number(url.pathname.slice(1));
  if (!Number.isInteger(db)) throw new Error("the path of a Redis URL is the number of a database");
  return {
    // URL keeps the brackets of an IPv6 address.
    host: url.hostname.replaceAll(/[[\]]/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    db,
  };
}

function loginIn(url: URL): RedisOptions {
  return {
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
  };
}
