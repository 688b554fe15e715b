import { type Observe } from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { isForbidden } from "./quiet-redis.ts";

export interface DurabilityOptions {
  readonly redis: Redis;
  readonly observe: Observe;
  /** Replicas that each flush waits for; with one of them, the primary's own disk does not matter. */
  readonly waitReplicas: number;
}

/**
 * Tells whether an accepted wakeup survives the death of its Redis: now, and whenever the connection comes up again,
 * which may be to another server. Throws what the first look throws.
 */
export async function watchDurability({ redis, observe, waitReplicas }: DurabilityOptions): Promise<void> {
  let known: string | undefined;
  if (waitReplicas > 0) return;
  redis.on("ready", () => void look().catch(() => undefined));
  await look();

  async function look(): Promise<void> {
    const because = weaknessOf(await redis.info("persistence"), await fsyncPolicy(redis));
    if (because === known) return;
    known = because;
    observe({ kind: "redis-durability-changed", ...(because === undefined ? {} : { because }) });
  }
}

/** `undefined` if nobody may ask: managed Redis services and ACLs often refuse CONFIG. */
async function fsyncPolicy(redis: Redis): Promise<string | undefined> {
  try {
    const [, policy] = parsePair(await redis.config("GET", "appendfsync"));
    return policy;
  } catch {
    return undefined;
  }
}

const parsePair = (reply: unknown): readonly string[] => (Array.isArray(reply) ? reply.map(String) : []);

/** What can lose accepted wakeups, and what to do; `undefined` if nothing can, as far as one may see. */
function weaknessOf(persistence: string, policy: string | undefined): string | undefined {
  const mend = "appendonly yes and appendfsync always, or redis.waitReplicas 1";
  if (isForbidden(persistence)) return;
  if (!/^aof_enabled:1/m.test(persistence)) return `Redis writes no append-only file; set ${mend}`;
  if (policy === undefined || policy === "always") return;
  return `Redis has appendfsync ${policy}; set ${mend}`;
}
