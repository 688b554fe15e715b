import { type Redis } from "ioredis";

import { isForbidden } from "./quiet-redis.ts";

/** What the Redis that we write to tells of itself. */
export interface RedisFacts {
  /** A replica takes no writes: a failover is under way, or the address is wrong. */
  readonly part: "primary" | "replica";
  /** Bytes used, and `maxmemory`; 0: none is set. */
  readonly memory: { readonly used: number; readonly limit: number };
  /** Replicas that are connected and in step. */
  readonly replicas: number;
  /** Of the replica that is farthest behind: bytes it lacks, and seconds since it was heard of. */
  readonly lag: { readonly bytes: number; readonly seconds: number } | undefined;
}

/** Asks twice; `undefined` where nobody may ask. Throws what Redis throws. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts | undefined> {
  const [memory, replication] = await Promise.all([redis.info("memory"), redis.info("replication")]);
  if (isForbidden(memory)) return undefined;
  return {
    part: /^role:master/m.test(replication) ? "primary" : "replica",
    memory: { used: numberOf(memory, "used_memory"), limit: numberOf(memory, "maxmemory") },
    ...replicasIn(replication),
  };
}

const numberOf = (info: string, field: string): number =>
  Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1] ?? 0);

/** A replica that is connected and in step, as the primary tells of it. */
export interface OnlineReplica {
  readonly host: string;
  readonly port: number;
  /** Up to where of the primary's `master_repl_offset` it has everything, and seconds since it was heard of. */
  readonly offset: number;
  readonly lagSeconds: number;
}

/** From `INFO replication`: lines as `slave0:ip=10.0.0.2,port=6379,state=online,offset=123,lag=0`. */
export const onlineReplicas = (info: string): readonly OnlineReplica[] =>
  [
    ...info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),.*\bstate=online\b.*\boffset=(\d+)\b.*\blag=(\d+)/gm),
  ].map(([, host = "", port, offset, lag]) => ({
    host,
    port: Number(port),
    offset: Number(offset),
    lagSeconds: Number(lag),
  }));

function replicasIn(info: string): Pick<RedisFacts, "replicas" | "lag"> {
  const written = numberOf(info, "master_repl_offset");
  const online = onlineReplicas(info);
  if (online.length === 0) return { replicas: 0, lag: undefined };
  const lags = online.map(({ offset, lagSeconds }) => ({
    bytes: Math.max(0, written - offset),
    seconds: lagSeconds,
  }));
  return {
    replicas: online.length,
    lag: {
      bytes: Math.max(...lags.map(({ bytes }) => bytes)),
      seconds: Math.max(...lags.map(({ seconds }) => seconds)),
    },
  };
}
