import { between, type Clock, epochMillis, type Millis, millis, seconds } from "@reveille/wakeup";
import { type Queue } from "bullmq";
import { type Redis } from "ioredis";

export interface WaitingAgeOptions {
  readonly redis: Redis;
  readonly queue: Pick<Queue, "toKey">;
  readonly clock: Clock;
}

/**
 * Age of the oldest waiting batch, short by a few seconds while new ones are put in front: the oldest is then neither
 * the first nor the last of the list, but the last one was the newest when that began.
 */
export async function oldestWaiting({ redis, queue, clock }: WaitingAgeOptions): Promise<Millis> {
  const wait = queue.toKey("wait");
  const ends = await Promise.all([redis.lindex(wait, -1), redis.lindex(wait, 0)]);
  const ids = new Set(ends.filter((id) => id !== null));
  const added = await Promise.all([...ids].map((id) => redis.hget(queue.toKey(id), "timestamp")));
  const ages = added.map((time) => ageOf(Number(time), clock));
  return millis(Math.max(0, ...ages));
}

/** A batch that was taken in the meantime has no age. */
const ageOf = (added: number, clock: Clock): Millis =>
  Number.isSafeInteger(added) && added > 0 ? between(epochMillis(added), clock.now()) : millis(0);

/** From this age on, fresh batches are put in front of those that wait. */
const OLD = seconds(5);
const LOOK_EVERY = seconds(1);

/** Whether the oldest waiting batch is old. Throws what Redis throws. */
export const isBacklogOld = async (options: WaitingAgeOptions): Promise<boolean> =>
  (await oldestWaiting(options)) > OLD;

/** Knows whether the oldest waiting batch is old; asks Redis once per second at most, and only while it is used. */
export function watchBacklog(options: WaitingAgeOptions): { readonly isOld: () => boolean } {
  const { clock } = options;
  let isOld = false;
  let lookAgainAt = 0;

  const look = async (): Promise<void> => {
    try {
      isOld = await isBacklogOld(options);
    } catch {
      // Redis is away: whoever adds a batch hears it at first hand.
    }
  };

  return {
    isOld: () => {
      if (clock.monotonic() >= lookAgainAt) {
        lookAgainAt = clock.monotonic() + LOOK_EVERY;
        void look();
      }
      return isOld;
    },
  };
}
