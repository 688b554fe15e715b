import { millis, type Millis, minutes, seconds } from "@reveille/wakeup";

const FIRST = seconds(1);
const LONGEST = minutes(15);
const GROWTH = 4;

/**
 * Pause after attempt number `attempt` (the first is 1) has failed: 1 s, 4 s, 16 s … up to the 15 min
 * that Apple asks for after errors of its servers, each shortened by up to a fifth by `chance` (0 to 1), so that
 * wakeups that failed together don't come back together.
 *
 * @see https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export function retryDelay(attempt: number, chance: number): Millis {
  const full = Math.min(FIRST * GROWTH ** Math.min(attempt - 1, 10), LONGEST);
  return millis(Math.round(full * (1 - chance / 5)));
}
