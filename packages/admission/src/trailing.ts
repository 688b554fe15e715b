import {
  type DeviceKey,
  deviceKeyOf,
  epochMillis,
  type Millis,
  millis,
  redisKeysOf,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { scriptOf } from "./script.ts";
import { decodeMember, type TrailingWakeup } from "./trailing-member.ts";

/** Trailing pushes that are due; taken by any worker, put into the queue, then confirmed. */
export interface Trailing {
  /**
   * Takes up to `max` under a lease of 10 s. What is not confirmed by then (the claimer
   * died, the queue refused) is claimed again: at least once. Throws what Redis or the connection throws.
   */
  readonly claim: (max: number) => Promise<TrailingClaim>;
  readonly backlog: () => Promise<TrailingBacklog>;
}

export interface TrailingClaim {
  /** Empty if none is due. */
  readonly wakeups: readonly Wakeup[];
  /** If none is due and some wait: until the first one is. */
  readonly nextDueIn?: Millis;
  /** As many were due as were asked for: look again at once. */
  readonly more: boolean;
  /** Call it once the wakeups are in the queue, not before. */
  readonly confirm: () => Promise<void>;
}

export interface TrailingBacklog {
  /** Trailing pushes waiting, due or not. */
  readonly waiting: number;
}

/** Longer than any way from a claim into the queue (1 s and one repetition), shorter than most windows. */
const LEASE = seconds(10);

const CLAIM = scriptOf("clock.lua", "claim.lua");

export function trailing(options: AdmissionOptions): Trailing {
  const { redis, secret, observe } = options;
  const keys = redisKeysOf(options.region);

  return {
    claim: async (max) => {
      const args = [options.redisTime?.() ?? "", max, LEASE];
      const { members, ...next } = parseReply(await CLAIM.run(redis, [keys.clock, keys.trailing], args));
      const wakeups: Wakeup[] = [];
      const broken: string[] = [];
      for (const member of members) {
        const known = decodeMember(member);
        if (known === undefined) broken.push(member);
        else wakeups.push(standingFor(known));
      }
      if (broken.length > 0) {
        observe({ kind: "trailing-broken", members: broken.length });
        await redis.zrem(keys.trailing, ...broken);
      }
      return {
        ...next,
        wakeups: unique(wakeups),
        more: members.length >= max,
        confirm: async () => {
          if (members.length > 0) await redis.zrem(keys.trailing, ...members);
        },
      };
    },
    backlog: async () => ({ waiting: await redis.zcard(keys.trailing) }),
  };

  /** The push stands for all that joined until it was due, so it counts as received then, not with its first wakeup. */
  function standingFor({ wakeup, due }: TrailingWakeup): Wakeup {
    const newest = Math.max(wakeup.receivedAt, Math.min(due, options.clock.now()));
    return { ...wakeup, receivedAt: epochMillis(newest) };
  }

  // An urgent wakeup that joined a waiting one stands beside it in the ZSET, and so does a push that nobody confirmed for a
  // window. One push serves both: as the newest, or what joined that one might count as covered by a push before it.
  function unique(wakeups: readonly Wakeup[]): readonly Wakeup[] {
    const speakers = new Map<DeviceKey, Wakeup>();
    for (const wakeup of wakeups) {
      const device = deviceKeyOf(secret, wakeup.token, wakeup.module);
      const speaker = speakers.get(device);
      speakers.set(device, {
        ...wakeup,
        urgent: wakeup.urgent || speaker?.urgent === true,
        receivedAt: epochMillis(Math.max(wakeup.receivedAt, speaker?.receivedAt ?? 0)),
      });
    }
    return [...speakers.values()];
  }
}

function parseReply(reply: unknown): { readonly members: readonly string[]; readonly nextDueIn?: Millis } {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [members, dueIn] = parts;
  if (!Array.isArray(members)) throw new Error("the script claim.lua did not answer a list of members");
  return {
    members: members.map(String),
    ...(dueIn === undefined ? {} : { nextDueIn: millis(Number(dueIn)) }),
  };
}
