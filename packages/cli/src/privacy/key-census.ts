import { REDIS_KEY_KINDS, redisKeyKind, type RedisKeyKind, type Region } from "@reveille/wakeup";

import { type RegionAccess } from "../role/region.ts";

/** Keys of one kind as they stand in Redis now. */
export interface KindCount {
  readonly kind: RedisKeyKind;
  readonly keys: number;
  /** Those of them without a time to live. */
  readonly endless: number;
  /** Longest time to live of the others, in ms. */
  readonly longestMs: number;
}

export interface KeyCensus {
  readonly kinds: readonly KindCount[];
  /** Keys with the region's hash tag that no version of ours makes. */
  readonly unknown: number;
  /** Keys that should expire and don't. */
  readonly unending: number;
  /** Not all keys were looked at: there are too many. */
  readonly isSample: boolean;
}

type Redis = RegionAccess["redis"];

const MOST_KEYS = 100_000;

/** Counts the region's keys by kind, without reading what stands under them. Throws what Redis throws. */
export async function keyCensus(redis: Redis, region: Region): Promise<KeyCensus> {
  const counts = new Map<RedisKeyKind, KindCount>();
  let unknown = 0;
  let looked = 0;
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", `{${region}}*`, "COUNT", 1_000);
    const lives = await Promise.all(keys.map(async (key) => redis.pttl(key)));
    for (const [index, key] of keys.entries()) {
      const kind = redisKeyKind(region, key);
      const life = lives[index] ?? GONE;
      if (life === GONE) continue;
      if (kind === undefined) unknown += 1;
      else counts.set(kind, withOne(counts.get(kind) ?? { kind, keys: 0, endless: 0, longestMs: 0 }, life));
    }
    looked += keys.length;
    cursor = next;
  } while (cursor !== "0" && looked < MOST_KEYS);
  const kinds = [...counts.values()];
  const unending = kinds.reduce(
    (sum, { kind, endless }) => (REDIS_KEY_KINDS[kind].expires ? sum + endless : sum),
    0,
  );
  return { kinds, unknown, unending, isSample: cursor !== "0" };
}

/** Answers of PTTL for a key that has gone meanwhile, and for one without a time to live. */
const GONE = -2;
const ENDLESS = -1;

const withOne = ({ kind, keys, endless, longestMs }: KindCount, life: number): KindCount => ({
  kind,
  keys: keys + 1,
  endless: endless + (life === ENDLESS ? 1 : 0),
  longestMs: Math.max(longestMs, life),
});
