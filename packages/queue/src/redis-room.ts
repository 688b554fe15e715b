import { type Clock, type Observe, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** Knows whether Redis has room for more wakeups. Disposing it leaves the connection open. */
export interface RedisRoom extends AsyncDisposable {
  /**
   * True while new wakeups should be refused. A Redis that is full to the brim refuses the workers' scripts as well, so
   * that nobody could drain it any more.
   */
  readonly isFull: () => boolean;
  /** True a little before that: those who filled it should be refused first. */
  readonly isNearlyFull: () => boolean;
}

export interface RedisRoomOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Share of `maxmemory` (of the machine's memory where that is not set) that may be used; default 0.7. */
  readonly mostShare?: () => number;
}

const LOOK_EVERY = seconds(1);
/** So much must be free again before more is let in, lest it goes to and fro. */
const SLACK = 0.05;
/** So much of its share is left when it is nearly full. */
const NEARLY = 0.1;

/** Looks once, then every second. Throws if the first look does. */
export async function watchRedisRoom(options: RedisRoomOptions): Promise<RedisRoom> {
  const { redis, clock, observe, mostShare = (): number => 0.7 } = options;
  const stop = new AbortController();
  let full = false;
  let nearlyFull = false;
  await look();
  const watching = watch();

  return {
    isFull: () => full,
    isNearlyFull: () => nearlyFull,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      // While Redis is away, nobody is let in anyhow.
      await look().catch(() => undefined);
    }
  }

  async function look(): Promise<void> {
    const share = usedShare(await redis.info("memory"));
    nearlyFull = share > mostShare() * (1 - NEARLY);
    const isFull = share > (full ? mostShare() - SLACK : mostShare());
    if (isFull === full) return;
    full = isFull;
    observe({ kind: "redis-room-changed", full, share });
  }
}

function usedShare(info: string): number {
  const numberOf = (field: string): number =>
    Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const limit = numberOf("maxmemory") || numberOf("total_system_memory");
  return limit === 0 ? 0 : numberOf("used_memory") / limit;
}
