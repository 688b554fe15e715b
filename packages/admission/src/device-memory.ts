import {
  deviceKeyOf,
  type EpochMillis,
  type Millis,
  millis,
  minutes,
  redisKeysOf,
  type Wakeup,
} from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { LONGEST_THROTTLE } from "./departure.ts";
import { codeOf, encodeState } from "./device-state.ts";
import { scriptOf } from "./script.ts";
import { wholeMillis } from "./whole-millis.ts";

/** What becomes of a token that was called bad once: ask the push service again, or forget it. */
export type Suspicion = { readonly kind: "confirm"; readonly after: Millis } | { readonly kind: "dead" };

/** What delivery reports back about devices. Each throws what Redis or the connection throws. */
export interface DeviceMemory {
  /** The token is gone for good (APNs 410), by Apple's clock since `since`. The device's next verdict is `dead`. */
  readonly markDead: (wakeup: Wakeup, since?: EpochMillis) => Promise<void>;
  /**
   * The token was called bad, which may be a mistake of ours (APNs BadDeviceToken). The first call asks for a second
   * attempt after a delay; a call after that delay marks the device as dead.
   */
  readonly suspectDead: (wakeup: Wakeup) => Promise<Suspicion>;
  /**
   * The outcome of the first pushes to devices that were `unproven`: accepted, the devices are known from now on, and their
   * domains get back what they paid; refused, their domains pay more.
   */
  readonly noteFirst: (wakeups: readonly Wakeup[], isAccepted: boolean) => Promise<void>;
  /** A push to a suspected device was accepted after all. */
  readonly clearSuspicion: (wakeup: Wakeup) => Promise<void>;
  /**
   * The device gets too many pushes: the refused one is repeated after `by` (the queue's task), and every other one
   * leaves a window after that at the earliest. At most `LONGEST_THROTTLE`.
   */
  readonly postpone: (wakeup: Wakeup, by: Millis) => Promise<void>;
}

/** Long enough for the second attempt to come late, short enough that two mistakes of two days do not add up. */
const SUSPICION_LASTS = minutes(30);

const MOST_DEAD = 100_000;

const MARK_DEAD = scriptOf("dead-marks.lua", "mark-dead.lua");
const SUSPECT_DEAD = scriptOf("clock.lua", "dead-marks.lua", "suspect-dead.lua");
const FIRST_OUTCOME = scriptOf("clock.lua", "new-devices.lua", "first-outcome.lua");
const POSTPONE = scriptOf("clock.lua", "postpone.lua");

export function deviceMemory(options: AdmissionOptions): DeviceMemory {
  const { redis, secret, windowOf, forgetDeadAfter, clock } = options;
  const keys = redisKeysOf(options.region);
  const confirmAfter = options.confirmDeadAfter ?? minutes(1);
  const mostDead = options.mostDeadDevices ?? ((): number => MOST_DEAD);
  const redisTime = (): EpochMillis | "" => options.redisTime?.() ?? "";
  const deviceOf = ({ token, module }: Wakeup) => deviceKeyOf(secret, token, module);

  return {
    markDead: async (wakeup, since = clock.now()) => {
      const mark = encodeState({ kind: "dead", since, reason: "refused" });
      const names = [keys.device(deviceOf(wakeup)), keys.deadMarks];
      const args = [mark, wholeMillis(forgetDeadAfter()), mostDead(), redisTime() || clock.now()];
      await MARK_DEAD.run(redis, names, args);
    },
    suspectDead: async (wakeup) => {
      const device = deviceOf(wakeup);
      const names = [keys.clock, keys.device(device), keys.suspicion(device), keys.deadMarks];
      const times = [wholeMillis(confirmAfter), SUSPICION_LASTS];
      const args = [redisTime(), ...times, codeOf("suspected")];
      args.push(wholeMillis(forgetDeadAfter()), mostDead());
      const after = Number(await SUSPECT_DEAD.run(redis, names, args));
      return after < 0 ? { kind: "dead" } : { kind: "confirm", after: millis(after) };
    },
    noteFirst: async (wakeups, isAccepted) => {
      const limits = options.newDevices?.();
      if (limits === undefined) return;
      const devices = wakeups.map(deviceOf);
      const names = devices.flatMap((device) => [keys.device(device), keys.newDevice(device)]);
      const args = [isAccepted ? 1 : 0, wholeMillis(limits.rememberFor), limits.perDomain.burst];
      await FIRST_OUTCOME.run(redis, [keys.clock, ...names], [redisTime(), ...args]);
    },
    clearSuspicion: async (wakeup) => {
      await redis.del(keys.suspicion(deviceOf(wakeup)));
    },
    postpone: async (wakeup, by) => {
      const stretched = wholeMillis(millis(Math.min(by, LONGEST_THROTTLE)));
      const names = [keys.clock, keys.device(deviceOf(wakeup))];
      await POSTPONE.run(redis, names, [redisTime(), stretched, wholeMillis(windowOf(wakeup.module))]);
    },
  };
}
