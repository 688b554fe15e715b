import { isRedisAway } from "@reveille/queue";
import { type Clock, millis } from "@reveille/wakeup";

const PAUSE = millis(200);

export interface StartDespiteRedis<T> {
  /** Begins anew at each call, and leaves nothing open when it throws. */
  readonly start: () => Promise<T>;
  /** Redis went away before the start was done; it is begun again. */
  readonly onAway: (error: unknown) => void;
  readonly clock: Pick<Clock, "sleep">;
  readonly stop: AbortSignal;
}

/**
 * Starts a role, as often as it takes for Redis to stay until the start is done: a role that gives up would be started again
 * all the same, by its supervisor and later. Throws whatever has another cause, or once `stop` aborts.
 */
export async function startDespiteRedis<T>({ start, onAway, clock, stop }: StartDespiteRedis<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (stop.aborted || !isRedisAway(error)) throw error;
      onAway(error);
      await clock.sleep(PAUSE, stop);
    }
  }
}
