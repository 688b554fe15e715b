import { millis, type Millis, minutes, seconds } from "@reveille/wakeup";

const FIRST = seconds(1);
const LONGEST = minutes(1);
const GROWTH = 4;

/**
 * Pause after attempt number `attempt` (the first is 1) has failed without an answer: 1 s, 4 s, 16 s, then a minute, so
 * that devices don't wait for long once the push service is back; what asks for more patience says so in its outcome.
 * Each is shortened by up to a fifth by `chance` (0 to 1), so that wakeups that failed together don't come back together.
 */
export function retryDelay(attempt: number, chance: number): Millis {
  const full = Math.min(FIRST * GROWTH ** Math.min(attempt - 1, 10), LONGEST);
  return millis(Math.round(full * (1 - chance / 5)));
}
