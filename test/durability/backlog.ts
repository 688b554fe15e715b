import { openQueueControl, openWorkerRedis, type RedisSettings } from "@reveille/queue";
import { systemClock } from "@reveille/runtime";
import { aRegion, until } from "@reveille/testkit";
import { REDIS_KEY_KINDS, redisKeyKind, redisKeysOf } from "@reveille/wakeup";

import { REGION } from "./push-path.ts";

/** What waits in the region's Redis: batches, and devices with a trailing push. */
export interface Backlog extends AsyncDisposable {
  readonly size: () => Promise<number>;
  /** Resolves when nothing waits any more; throws with what still does. */
  readonly drained: (withinMs: number) => Promise<void>;
  /** Keys that a drained region should not have: unknown ones, left jobs, and such as should expire and don't. */
  readonly leftovers: () => Promise<readonly string[]>;
}

/** What BullMQ keeps of a queue that is empty. */
const OF_AN_EMPTY_QUEUE = new Set(["meta", "id", "events", "marker", "pc", "stalled", "stalled-check"]);
const ENDLESS = -1;

export async function openBacklog(settings: RedisSettings): Promise<Backlog> {
  const [region, clock] = [aRegion(REGION), systemClock];
  const redis = await openWorkerRedis(settings, { connection: "test", clock, observe: () => undefined });
  const control = await openQueueControl({ redis, region, clock });
  const look = async () => {
    const { waiting, retrying, delayed, active } = await control.status();
    return { waiting, retrying, delayed, active, trailing: await redis.zcard(redisKeysOf(region).trailing) };
  };
  const size = async (): Promise<number> => Object.values(await look()).reduce((sum, one) => sum + one, 0);
  return {
    size,
    drained: async (withinMs) => {
      try {
        const isEmpty = async (): Promise<true | undefined> => ((await size()) === 0 ? true : undefined);
        await until(isEmpty, { what: "an empty queue", withinMs, everyMs: 100 });
      } catch (cause) {
        throw new Error(`what waits still: ${JSON.stringify(await look())}`, { cause });
      }
    },
    leftovers: async () => {
      const left: string[] = [];
      for (const key of await redis.keys("*")) {
        const kind = redisKeyKind(region, key);
        if (kind === undefined) left.push(key);
        else if (kind === "queuePrefix") {
          if (!OF_AN_EMPTY_QUEUE.has(key.slice(key.lastIndexOf(":") + 1))) left.push(key);
        } else if (REDIS_KEY_KINDS[kind].expires && (await redis.pttl(key)) === ENDLESS) left.push(key);
      }
      return left;
    },
    [Symbol.asyncDispose]: async () => {
      await control[Symbol.asyncDispose]();
      redis.disconnect();
    },
  };
}
