import {
  type DeviceKey,
  deviceKeyOf,
  type Millis,
  millis,
  redisKeysOf,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { type Clearance, CLEARANCE_LASTS, MOST_SKEW } from "./clearance.ts";
import { Script } from "./script.ts";
import { wholeMillis } from "./whole-millis.ts";

/**
 * What keeps a long outage from ending in a push for every wakeup of it. While a backlog lasts, each push is cleared
 * before it leaves and settled after; a wakeup received before a push that was accepted is covered by it. Without a
 * backlog nothing is written, and Redis is asked once per second. Each call throws what Redis or the connection throws.
 */
export interface Backlog {
  /** Wakeups are old, run again or are put off: there is a backlog, for so long at least. */
  readonly expect: (lasting: Millis) => Promise<void>;
  /** True while pushes need a clearance. May be a second behind, which costs a push too many. */
  readonly lasts: () => Promise<boolean>;
  /** One clearance per wakeup, in the same order; of several wakeups of one device at most one may go. */
  readonly clear: (wakeups: readonly Wakeup[]) => Promise<readonly Clearance[]>;
  /** To be called for every wakeup that was told to go; one that is not holds its device up for 15 s. */
  readonly settle: (pushes: readonly SettledPush[]) => Promise<void>;
}

export interface SettledPush {
  readonly wakeup: Wakeup;
  /** The push service took it. */
  readonly accepted: boolean;
}

export type BacklogOptions = Pick<
  AdmissionOptions,
  "redis" | "region" | "secret" | "windowOf" | "clock" | "redisTime"
> & {
  /** Longest deadline of a wakeup: one that is older is dropped anyhow. */
  readonly longestDeadline: Millis;
};

const CLEAR = new Script("clear.lua");
const SETTLE = new Script("settle.lua");

const LOOK_EVERY = seconds(1);

const BEHIND_ANOTHER: Clearance = { kind: "later", after: CLEARANCE_LASTS };

export function redisBacklog(options: BacklogOptions): Backlog {
  const { redis, secret, clock, windowOf } = options;
  const keys = redisKeysOf(options.region);
  const keep = wholeMillis(options.longestDeadline);
  const keyOf = ({ token, module }: Wakeup): DeviceKey => deviceKeyOf(secret, token, module);
  let seen = { lasts: false, lookAgainAt: 0 };

  return {
    expect: async (lasting) => {
      seen = { lasts: true, lookAgainAt: clock.monotonic() + LOOK_EVERY };
      // Nothing shortens what another worker expects.
      if ((await redis.pttl(keys.backlog)) >= lasting) return;
      await redis.set(keys.backlog, "1", "PX", wholeMillis(lasting));
    },
    lasts: async () => {
      const now = clock.monotonic();
      if (now < seen.lookAgainAt) return seen.lasts;
      seen = { ...seen, lookAgainAt: now + LOOK_EVERY };
      const lasts = (await redis.exists(keys.backlog)) > 0;
      seen = { ...seen, lasts };
      return lasts;
    },
    clear: async (wakeups) => {
      const newest = newestByDevice(wakeups, keyOf);
      const devices = [...newest.keys()];
      const args = [options.redisTime?.() ?? "", clock.now(), MOST_SKEW, CLEARANCE_LASTS, keep];
      for (const index of newest.values()) args.push(...timesOf(wakeups[index]));
      const names = devices.map((device) => keys.accepted(device));
      const replies = parseReplies(await CLEAR.run(redis, names, args), devices.length);
      const clearances = new Map(devices.map((device, index) => [device, replies[index]] as const));
      return wakeups.map((wakeup, index) => {
        const device = keyOf(wakeup);
        const clearance = clearances.get(device) ?? BEHIND_ANOTHER;
        return clearance.kind === "go" && newest.get(device) !== index ? BEHIND_ANOTHER : clearance;
      });
    },
    settle: async (pushes) => {
      const accepted = new Map(pushes.map((push) => [keyOf(push.wakeup), push.accepted ? 1 : 0] as const));
      if (accepted.size === 0) return;
      const names = [...accepted.keys()].map((device) => keys.accepted(device));
      await SETTLE.run(redis, names, [keep, ...accepted.values()]);
    },
  };

  function timesOf(wakeup: Wakeup | undefined): readonly number[] {
    return wakeup === undefined ? [] : [wakeup.receivedAt, wholeMillis(windowOf(wakeup.module))];
  }
}

/** Which wakeup speaks for each device, by its index: what serves the newest one serves the others. */
function newestByDevice(
  wakeups: readonly Wakeup[],
  keyOf: (wakeup: Wakeup) => DeviceKey,
): Map<DeviceKey, number> {
  const newest = new Map<DeviceKey, number>();
  for (const [index, wakeup] of wakeups.entries()) {
    const device = keyOf(wakeup);
    const known = wakeups[newest.get(device) ?? index];
    if (known === undefined || wakeup.receivedAt >= known.receivedAt) newest.set(device, index);
  }
  return newest;
}

function parseReplies(replies: unknown, expected: number): readonly Clearance[] {
  if (!Array.isArray(replies) || replies.length !== expected) {
    throw new Error("the script clear.lua did not answer one integer per device");
  }
  return replies.map((reply: unknown) => {
    const after = Number(reply);
    if (after === 0) return { kind: "go" };
    return after < 0 ? { kind: "covered" } : { kind: "later", after: millis(after) };
  });
}
