import { type Millis } from "@reveille/wakeup";

/** Scripts count in whole milliseconds, at least one: Redis has no expiry of 0. */
export const wholeMillis = (duration: Millis): number => Math.max(1, Math.round(duration));
