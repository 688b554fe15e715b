import {
  type Clock,
  type DeviceKey,
  type EpochMillis,
  epochMillis,
  millis,
  type Millis,
  redisKeysOf,
  type Region,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { decodeState, type DeviceState, encodeState } from "./device-state.ts";
import { scriptOf } from "./script.ts";
import { wholeMillis } from "./whole-millis.ts";

/** What is known of a device, for an operator. Times are of the region's clock, `since` of a refused one is Apple's. */
export interface DeviceStatus {
  readonly state: DeviceState;
  /** How long it will be remembered; absent for an unknown device. */
  readonly lasts?: Millis;
  readonly suspectedSince?: EpochMillis;
}

/** An operator's hand on one device. Each throws what Redis or the connection throws. */
export interface DeviceRecords {
  readonly status: (device: DeviceKey) => Promise<DeviceStatus>;
  /** The next wakeup leaves at once. A trailing push that waits still leaves. */
  readonly forget: (device: DeviceKey) => Promise<void>;
  /** The device counts as dead for so long, whatever the push service says of it. */
  readonly block: (device: DeviceKey, lasting: Millis) => Promise<void>;
  /** How many devices are remembered as dead because the push service said so; a few may be forgotten already. */
  readonly countDead: () => Promise<number>;
  /**
   * Forgets all of those, but for what an operator has blocked, in steps between which Redis serves others; the push
   * service is asked about them again. Gives how many there were.
   */
  readonly forgetDead: () => Promise<number>;
}

/** Dead marks per call: others wait for Redis meanwhile, some milliseconds. */
const STEP = 500;

const FORGET_DEAD = scriptOf("forget-dead.lua");
const MARK_DEAD = scriptOf("dead-marks.lua", "mark-dead.lua");

export function deviceRecords(options: {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Pick<Clock, "now">;
}): DeviceRecords {
  const { redis, region, clock } = options;
  const keys = redisKeysOf(region);

  return {
    status: async (device) => {
      const [text, lasts, suspicion] = await Promise.all([
        redis.get(keys.device(device)),
        redis.pttl(keys.device(device)),
        redis.get(keys.suspicion(device)),
      ]);
      const since = suspicion === null ? -1 : Number(suspicion);
      return {
        state: decodeState(text),
        ...(lasts > 0 ? { lasts: millis(lasts) } : {}),
        ...(Number.isSafeInteger(since) && since >= 0 ? { suspectedSince: epochMillis(since) } : {}),
      };
    },
    forget: async (device) => void (await redis.del(keys.device(device), keys.suspicion(device))),
    countDead: async () => redis.zcard(keys.deadMarks),
    forgetDead: async () => {
      let forgotten = 0;
      for (let left = await redis.zcard(keys.deadMarks); left > 0; left -= STEP) {
        forgotten += Number(await FORGET_DEAD.run(redis, [keys.deadMarks], [`{${region}}d`, STEP]));
      }
      return forgotten;
    },
    block: async (device, lasting) => {
      const mark = encodeState({ kind: "dead", since: clock.now(), reason: "blocked" });
      await MARK_DEAD.run(redis, [keys.device(device), keys.deadMarks], [mark, wholeMillis(lasting), 0, 0]);
    },
  };
}
