import { type Millis, millis, redisKeysOf, seconds } from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { scriptOf } from "./script.ts";

/**
 * The trailing pushes of a region, for an operator. One that a worker is just moving into the queue counts as due when its lease
 * ends, within 10 s.
 */
export interface TrailingStatus {
  /** Due or not. */
  readonly waiting: number;
  /** Due for more than a second, though every worker looks each 500 ms: nobody moves them. */
  readonly overdue: number;
  /** Until the first one is due; 0 if it is; absent if none waits. */
  readonly nextDueIn?: Millis;
  /** How long the first one has been due; 0 if none is. */
  readonly oldestDue: Millis;
}

/** As long as a worker pauses after trouble; in health a push is late by half of it at most. */
const OVERDUE_AFTER = seconds(1);

const LOOK = scriptOf("clock.lua", "look.lua");

/** One script call, cheap whatever their number. Throws what Redis or the connection throws. */
export async function trailingStatus({
  redis,
  region,
  redisTime,
}: Pick<AdmissionOptions, "redis" | "region" | "redisTime">): Promise<TrailingStatus> {
  const keys = redisKeysOf(region);
  const reply = await LOOK.run(redis, [keys.clock, keys.trailing], [redisTime?.() ?? "", OVERDUE_AFTER]);
  const [waiting, overdue, dueIn] = parseReply(reply);
  return {
    waiting,
    overdue,
    ...(waiting > 0 ? { nextDueIn: millis(Math.max(0, dueIn)) } : {}),
    oldestDue: millis(Math.max(0, -dueIn)),
  };
}

function parseReply(reply: unknown): readonly [number, number, number] {
  const [waiting, overdue, dueIn] = Array.isArray(reply) ? reply.map(Number) : [];
  if (waiting !== undefined && overdue !== undefined && dueIn !== undefined) return [waiting, overdue, dueIn];
  throw new Error("the script look.lua did not answer three integers");
}
