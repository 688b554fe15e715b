import { type Observe } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** What our redis.conf sets: the body of nearly every batch is shorter. */
const PACKED_UP_TO = 8_192;

/** Whether Redis keeps batches in its compact form. */
export interface Packing {
  readonly kind: "compact" | "loose";
  /** `hash-max-listpack-value`, bytes. */
  readonly limit: number;
}

/** `undefined` if nobody may ask: managed Redis services and ACLs often refuse CONFIG. */
export async function readPacking(redis: Redis): Promise<Packing | undefined> {
  // The name before Redis 7, which later ones still answer to.
  const answer: unknown = await redis.config("GET", "hash-max-ziplist-value").catch(() => undefined);
  const limit = Array.isArray(answer) ? Number(answer[1]) : Number.NaN;
  if (!Number.isSafeInteger(limit)) return undefined;
  return { kind: limit < PACKED_UP_TO ? "loose" : "compact", limit };
}

/** Tells once if batches take more memory than they need. */
export async function tellPacking(redis: Redis, observe: Observe): Promise<void> {
  const packing = await readPacking(redis);
  if (packing?.kind === "loose") observe({ kind: "redis-packs-loosely", limit: packing.limit });
}
