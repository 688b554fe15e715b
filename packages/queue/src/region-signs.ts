import {
  failureReason,
  type Clock,
  type Millis,
  redisKeysOf,
  type Region,
  seconds,
  type Sign,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** What the processes of a region tell each other by keys that lapse. Disposing leaves the connection open. */
export interface RegionSigns extends AsyncDisposable {
  /** Whether some process of the region, maybe this one, has given this sign lately. From memory. */
  readonly sees: (sign: Sign) => boolean;
  /** Whether a process of another host has given it last. From memory. */
  readonly seesElsewhere: (sign: Sign) => boolean;
  /** Why the last round of giving and looking failed, e.g. since Redis takes no writes. From memory. */
  readonly trouble: () => string | undefined;
}

export interface RegionSignsOptions {
  /** From `openProducerRedis`. Stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  /** Name of this host. */
  readonly host: string;
  readonly clock: Clock;
  /** What is true of this process now. */
  readonly give: () => readonly Sign[];
}

const EVERY = seconds(1);

/** A process that dies is missed when its sign has lapsed; one that is slow has some rounds to spare. */
const LIFE: Readonly<Record<Sign, Millis>> = {
  ingress: seconds(4),
  worker: seconds(4),
  "stand-in": seconds(4),
  "wants-place": seconds(3),
  // Batches of a slow push service take longer than those of a fast one.
  "batch-taken": seconds(15),
};

const SIGNS: readonly Sign[] = ["ingress", "worker", "batch-taken", "stand-in", "wants-place"];

/** Gives and looks once, then every second. Never throws because of Redis: `trouble` tells. */
export async function openRegionSigns({
  redis,
  region,
  host,
  clock,
  give,
}: RegionSignsOptions): Promise<RegionSigns> {
  const keys = redisKeysOf(region);
  const stop = new AbortController();
  let seen: ReadonlyMap<Sign, string> = new Map();
  let trouble: string | undefined;
  await round();
  const rounds = keepOn();

  return {
    sees: (sign) => seen.has(sign),
    seesElsewhere: (sign) => (seen.get(sign) ?? host) !== host,
    trouble: () => trouble,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await rounds;
    },
  };

  async function keepOn(): Promise<void> {
    for (;;) {
      await clock.sleep(EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await round();
    }
  }

  async function round(): Promise<void> {
    try {
      for (const sign of give()) await redis.set(keys.sign(sign), host, "PX", LIFE[sign]);
      const there = await redis.mget(SIGNS.map((sign) => keys.sign(sign)));
      seen = new Map(SIGNS.flatMap((sign, index) => entryOf(sign, there[index])));
      trouble = undefined;
    } catch (error) {
      // Whoever cannot look knows nothing of the others.
      seen = new Map();
      trouble = failureReason(error);
    }
  }
}

const entryOf = (sign: Sign, host: string | null | undefined): readonly (readonly [Sign, string])[] =>
  host === null || host === undefined ? [] : [[sign, host]];
