import { readFileSync } from "node:fs";

import { between, type Clock, epochMillis, type Millis, millis, Script, seconds } from "@reveille/wakeup";
import { type Queue } from "bullmq";
import { type Redis } from "ioredis";

export interface WaitingAgeOptions {
  readonly redis: Redis;
  readonly queue: Pick<Queue, "toKey">;
  readonly clock: Clock;
}

/** Ages of batches; 0 where there is none. */
export interface OldestBatches {
  /** In any state: waiting, in a worker's hand, or put off. */
  readonly any: Millis;
  /** Of those that no worker has taken yet. */
  readonly waiting: Millis;
}

const OLDEST = new Script(readFileSync(new URL("oldest.lua", import.meta.url), "utf8"));

/** Costs the same however many batches there are. Throws what Redis throws. */
export async function oldestBatches({ redis, queue, clock }: WaitingAgeOptions): Promise<OldestBatches> {
  const keys = [queue.toKey("since"), queue.toKey("since-again")];
  const reply = await OLDEST.run(redis, keys, [queue.toKey("")]);
  const [any = 0, waiting = 0] = Array.isArray(reply) ? reply.map(Number) : [];
  return { any: ageOf(any, clock), waiting: ageOf(waiting, clock) };
}

const ageOf = (added: number, clock: Clock): Millis =>
  Number.isSafeInteger(added) && added > 0 ? between(epochMillis(added), clock.now()) : millis(0);

/** From this age on, fresh batches are put in front of those that wait. */
const OLD = seconds(5);
const LOOK_EVERY = seconds(1);

/** Whether the oldest waiting batch is old. Throws what Redis throws. */
export const isBacklogOld = async (options: WaitingAgeOptions): Promise<boolean> =>
  (await oldestBatches(options)).waiting > OLD;

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
