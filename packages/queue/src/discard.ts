import { readFileSync } from "node:fs";

import { Script } from "@reveille/wakeup";
import { type Redis } from "ioredis";

const DISCARD = new Script(readFileSync(new URL("discard.lua", import.meta.url), "utf8"));

/** Batches per call: others wait some milliseconds for Redis meanwhile. */
const STEP = 200;

/**
 * Throws up to `most` batches away that no worker has in hand, the oldest first, from a queue whose keys `toKey` names. In
 * steps, between which Redis serves others. Gives how many there were. Throws what Redis throws.
 */
export async function discardBatches(
  redis: Redis,
  toKey: (type: string) => string,
  most: number,
): Promise<number> {
  const keys = [toKey("wait"), toKey("prioritized"), toKey("delayed")];
  let discarded = 0;
  while (discarded < most) {
    const wanted = Math.min(STEP, most - discarded);
    const thrown = Number(await DISCARD.run(redis, keys, [toKey(""), wanted]));
    if (thrown === 0) break;
    discarded += thrown;
  }
  return discarded;
}
