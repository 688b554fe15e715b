import {
  type DeviceKey,
  deviceKeyOf,
  type EpochMillis,
  epochMillis,
  type Millis,
  millis,
  type PushModule,
  redisKeysOf,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";

import { type AdmissionOptions } from "./admission-options.ts";
import { type Clearance, CLEARANCE_LASTS, MOST_SKEW } from "./clearance.ts";
import { scriptOf } from "./script.ts";
import { wholeMillis } from "./whole-millis.ts";

/**
 * What keeps a long outage from ending in a push for every wakeup of it. While a module has a backlog, each of its pushes
 * is cleared before it leaves and settled after; a wakeup received before a push that was accepted is covered by it.
 * Without a backlog nothing is written, and Redis is asked once per second and module. Each call throws what Redis or the
 * connection throws.
 */
export interface Backlog {
  /** Wakeups of this module are old or put off: it has a backlog, for so long at least. */
  readonly expect: (module: PushModule, lasting: Millis) => Promise<void>;
  /** True while pushes of this module need a clearance. May be a second behind, which costs a push too many. */
  readonly lasts: (module: PushModule) => Promise<boolean>;
  /** One clearance per wakeup, in the same order; of several wakeups of one device at most one may go. */
  readonly clear: (wakeups: readonly Wakeup[]) => Promise<readonly Clearance[]>;
  /** To be called for every wakeup that was told to go; one that is not holds its device up for 25 s. */
  readonly settle: (pushes: readonly SettledPush[]) => Promise<void>;
}

export interface SettledPush {
  /** As it was sent: urgent if its clearance was. */
  readonly wakeup: Wakeup;
  /** From its clearance. */
  readonly clearedAt: EpochMillis;
  /** The push service took it. */
  readonly accepted: boolean;
}

export type BacklogOptions = Pick<
  AdmissionOptions,
  "redis" | "region" | "secret" | "windowOf" | "clock" | "redisTime"
> & {
  /** Longest deadline of a wakeup: one that is older is dropped anyhow. */
  readonly longestDeadline: () => Millis;
  /** How many devices backlogs remember, beyond which the oldest are forgotten; default 300,000. */
  readonly mostDevices?: () => number;
};

const MOST_DEVICES = 300_000;

const CLEAR = scriptOf("pushed.lua", "clear.lua");
const SETTLE = scriptOf("pushed.lua", "settle.lua");

const LOOK_EVERY = seconds(1);

interface Seen {
  readonly lasts: Promise<boolean>;
  /** By the monotonic clock. */
  readonly lookAgainAt: number;
}

const BEHIND_ANOTHER: Clearance = { kind: "later", after: CLEARANCE_LASTS };

export function redisBacklog(options: BacklogOptions): Backlog {
  const { redis, secret, clock, windowOf } = options;
  const keys = redisKeysOf(options.region);
  const keep = (): number => wholeMillis(options.longestDeadline());
  const keyOf = ({ token, module }: Wakeup): DeviceKey => deviceKeyOf(secret, token, module);
  const times = (): readonly (string | number)[] => [options.redisTime?.() ?? "", clock.now()];
  const seen = new Map<PushModule, Seen>();

  return {
    expect: async (module, lasting) => {
      seen.set(module, { lasts: Promise.resolve(true), lookAgainAt: clock.monotonic() + LOOK_EVERY });
      // Nothing shortens what another worker expects.
      if ((await redis.pttl(keys.backlog(module))) >= lasting) return;
      await redis.set(keys.backlog(module), "1", "PX", wholeMillis(lasting));
    },
    lasts: async (module) => {
      const now = clock.monotonic();
      const known = seen.get(module);
      if (known !== undefined && now < known.lookAgainAt) return known.lasts;
      // Who asks meanwhile waits for the same answer: what was known may be from long ago.
      const lasts = redis.exists(keys.backlog(module)).then((keys) => keys > 0);
      const asked = { lasts, lookAgainAt: now + LOOK_EVERY };
      seen.set(module, asked);
      try {
        return await lasts;
      } catch (error) {
        if (seen.get(module) === asked) seen.delete(module);
        throw error;
      }
    },
    clear: async (wakeups) => {
      const asking = wakeups.map((wakeup) => ({ wakeup, device: keyOf(wakeup) }));
      const speakers = speakersOf(asking);
      const args = [...times(), MOST_SKEW, CLEARANCE_LASTS, keep(), options.mostDevices?.() ?? MOST_DEVICES];
      for (const { newest, urgentAt } of speakers.values()) {
        args.push(newest.receivedAt, urgentAt, wholeMillis(windowOf(newest.module)));
      }
      const names = [keys.backlogDevices, ...[...speakers.keys()].map((device) => keys.accepted(device))];
      const replies = parseReplies(await CLEAR.run(redis, names, args), speakers.size);
      const clearances = new Map(
        Array.from(speakers, ([device, { urgentAt }], index) => [
          device,
          clearanceIn(replies[index], urgentAt > 0),
        ]),
      );
      return asking.map(({ wakeup, device }) => {
        const clearance = clearances.get(device) ?? BEHIND_ANOTHER;
        return clearance.kind === "go" && speakers.get(device)?.newest !== wakeup
          ? BEHIND_ANOTHER
          : clearance;
      });
    },
    settle: async (pushes) => {
      let left = pushes;
      while (left.length > 0) {
        // Each device once in a call. One whose clearance had run out may have another push among them.
        const settled = new Map(left.map((push) => [keyOf(push.wakeup), push] as const));
        const names = [...settled.keys()].map((device) => keys.accepted(device));
        const args = [...settled.values()].flatMap((push) => [howSettled(push), push.clearedAt]);
        await SETTLE.run(redis, names, [...times(), keep(), ...args]);
        const told = new Set(settled.values());
        left = left.filter((push) => !told.has(push));
      }
    },
  };
}

/** As `settle.lua` has it. */
const howSettled = ({ accepted, wakeup }: SettledPush): number => (accepted ? (wakeup.urgent ? 2 : 1) : 0);

/** The wakeups of a device that ask together: a push for the newest serves them all. */
interface Speaker {
  readonly newest: Wakeup;
  /** When the newest urgent one was received; 0 if none is. */
  readonly urgentAt: number;
}

function speakersOf(
  asking: readonly { readonly wakeup: Wakeup; readonly device: DeviceKey }[],
): ReadonlyMap<DeviceKey, Speaker> {
  const speakers = new Map<DeviceKey, Speaker>();
  for (const { wakeup, device } of asking) {
    const { newest = wakeup, urgentAt = 0 } = speakers.get(device) ?? {};
    speakers.set(device, {
      newest: wakeup.receivedAt >= newest.receivedAt ? wakeup : newest,
      urgentAt: wakeup.urgent ? Math.max(urgentAt, wakeup.receivedAt) : urgentAt,
    });
  }
  return speakers;
}

function parseReplies(replies: unknown, expected: number): readonly number[] {
  if (!Array.isArray(replies) || replies.length !== expected) {
    throw new Error("the script clear.lua did not answer one integer per device");
  }
  return replies.map(Number);
}

function clearanceIn(answer: number | undefined, urgent: boolean): Clearance {
  if (answer === undefined) return BEHIND_ANOTHER;
  if (answer > 0) return { kind: "later", after: millis(answer) };
  return answer === -1 ? { kind: "covered" } : { kind: "go", clearedAt: epochMillis(-answer), urgent };
}
