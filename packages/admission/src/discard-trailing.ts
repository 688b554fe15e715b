import { deviceKeyOf, redisKeysOf } from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { scriptOf } from "./script.ts";
import { decodeMember } from "./trailing-member.ts";
import { wholeMillis } from "./whole-millis.ts";

const DISCARD = scriptOf("clock.lua", "discard.lua");

/** Trailing pushes per call: others wait some milliseconds for Redis meanwhile. */
const STEP = 200;

export type DiscardOptions = Pick<AdmissionOptions, "redis" | "region" | "secret" | "windowOf" | "redisTime">;

/**
 * Throws every trailing push away that was there when it was called, unless it leaves meanwhile; the next wakeup of its
 * device is granted or scheduled anew. In steps, between which Redis serves others. Gives how many there were. Throws what
 * Redis or the connection throws.
 */
export async function discardTrailing(options: DiscardOptions): Promise<number> {
  const { redis } = options;
  const { trailing } = redisKeysOf(options.region);
  const most = await redis.zcard(trailing);
  let discarded = 0;
  for (let seen = 0; seen < most; seen += STEP) {
    const members = await redis.zrange(trailing, "0", String(Math.min(STEP, most - seen) - 1));
    if (members.length === 0) break;
    discarded += await discard(members, options);
  }
  return discarded;
}

async function discard(members: readonly string[], options: DiscardOptions): Promise<number> {
  const { redis, secret, windowOf } = options;
  const keys = redisKeysOf(options.region);
  const names = [keys.clock, keys.trailing];
  const args: (string | number)[] = [options.redisTime?.() ?? ""];
  const broken: string[] = [];
  for (const member of members) {
    const known = decodeMember(member);
    if (known === undefined) {
      broken.push(member);
      continue;
    }
    const { token, module } = known.wakeup;
    names.push(keys.device(deviceKeyOf(secret, token, module)));
    args.push(member, known.due, wholeMillis(windowOf(module)));
  }
  const unread = broken.length === 0 ? 0 : await redis.zrem(keys.trailing, ...broken);
  return unread + Number(await DISCARD.run(redis, names, args));
}
