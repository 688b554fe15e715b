import {
  type Clock,
  type EpochMillis,
  epochMillis,
  type Millis,
  millis,
  type Observe,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

export interface RegionClockOptions {
  /** Stays the caller's. */
  readonly redis: Redis;
  /** That of this host. */
  readonly clock: Clock;
  readonly observe: Observe;
}

/**
 * A clock whose `now` is the time of the region's Redis, for everything that two hosts compare: when a publish was received,
 * ages, deadlines, due times. Between two looks it goes on by this host's monotonic clock, so a step of the host's wall
 * clock changes nothing, and a Redis that is away takes no time along. Disposing ends the looks.
 */
export interface RegionClock extends Clock, AsyncDisposable {}

const LOOK_EVERY = seconds(5);
/** Redis may have answered at any time within so much: a slower answer says less than the last quick one. */
const QUICK = millis(100);
/** An old look is worse than a slow one: clocks drift by some ms a minute. */
const KEEP_FOR = seconds(60);
/** How far the host's own clock may be off; Apple and Google refuse credentials that are dated wrong by minutes. */
const TOLERATED = seconds(30);

interface Look {
  readonly redisTime: number;
  /** By the monotonic clock. */
  readonly at: Millis;
}

/** Resolves when Redis has told its time once; throws what that throws. */
export async function openRegionClock(options: RegionClockOptions): Promise<RegionClock> {
  const { redis, clock } = options;
  const stop = new AbortController();
  const tell = tellSkew(options);
  let last = (await lookAt(redis, clock)).look;
  tell(clock.now() - timeAt(clock.monotonic()));
  const onReady = (): void => void lookAgain(true);
  redis.on("ready", onReady);
  const looking = keepLooking();

  return {
    now: () => timeAt(clock.monotonic()),
    monotonic: clock.monotonic,
    sleep: clock.sleep,
    [Symbol.asyncDispose]: async () => {
      redis.off("ready", onReady);
      stop.abort();
      await looking;
    },
  };

  function timeAt(at: Millis): EpochMillis {
    return epochMillis(Math.round(last.redisTime + at - last.at));
  }

  async function keepLooking(): Promise<void> {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await lookAgain(false);
    }
  }

  /** A connection that is ready again may lead to another Redis, whose time counts from now on. */
  async function lookAgain(isAnother: boolean): Promise<void> {
    try {
      const { look, took } = await lookAt(redis, clock);
      const isOld = look.at - last.at > KEEP_FOR;
      if (took <= QUICK || isOld || isAnother) last = look;
      tell(clock.now() - timeAt(clock.monotonic()));
    } catch {
      // Redis is away, or told no time; whoever owns the connection tells of its troubles.
    }
  }
}

async function lookAt(redis: Redis, clock: Clock): Promise<{ readonly look: Look; readonly took: Millis }> {
  const askedAt = clock.monotonic();
  const redisTime = parseTime(await redis.time());
  const took = millis(clock.monotonic() - askedAt);
  return { look: { redisTime, at: millis(askedAt + took / 2) }, took };
}

/** Seconds, then microseconds. */
function parseTime(reply: unknown): number {
  const [whole, micros] = Array.isArray(reply) ? reply.map(Number) : [];
  const time = Number(whole) * 1_000 + Number(micros) / 1_000;
  if (Number.isFinite(time) && time > 0) return time;
  throw new Error("Redis did not answer TIME with two numbers");
}

/** `ahead`: by how many ms the host's clock is ahead of Redis'. */
function tellSkew({ observe }: RegionClockOptions): (ahead: number) => void {
  let isWrong = false;
  return (ahead) => {
    const wasWrong = isWrong;
    isWrong = Math.abs(ahead) > TOLERATED;
    observe({ kind: "clock-compared", ahead, isWrong, hasChanged: isWrong !== wasWrong });
  };
}
