import { performance } from "node:perf_hooks";

import { type Clock, type EpochMillis, epochMillis, type Millis, millis } from "@reveille/wakeup";

/** Longest delay of a Node timer (2^31 − 1 ms); anything longer would fire at once. */
const LONGEST_TIMER = 2_147_483_647;

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => {
    const cancelled = (): boolean => signal?.aborted ?? false;
    let left: number = duration;
    while (left > 0 && !cancelled()) {
      await timer(millis(Math.min(left, LONGEST_TIMER)), signal);
      left -= LONGEST_TIMER;
    }
  },
};

async function timer(duration: Millis, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timeout = setTimeout(wake, duration);
    signal?.addEventListener("abort", wake, { once: true });
  });
}

/** The time in a `date` header of HTTP (RFC 9110 §5.6.7); `undefined` for anything else. */
export function parseHttpDate(text: string): EpochMillis | undefined {
  const time = Date.parse(text);
  return time >= 0 ? epochMillis(time) : undefined;
}
