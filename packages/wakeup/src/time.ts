import { type Brand } from "./brand.ts";

/** A duration in milliseconds. */
export type Millis = Brand<number, "Millis">;

/** A point in time, in whole milliseconds since 1970 (UTC). */
export type EpochMillis = Brand<number, "EpochMillis">;

const isMillis = (value: number): value is Millis => Number.isFinite(value) && value >= 0;
const isEpochMillis = (value: number): value is EpochMillis => Number.isSafeInteger(value) && value >= 0;

/** Throws a RangeError unless `value` is finite and not negative. */
export function millis(value: number): Millis {
  if (isMillis(value)) return value;
  throw new RangeError(`no duration in milliseconds: ${value}`);
}

export const seconds = (value: number): Millis => millis(value * 1_000);
export const minutes = (value: number): Millis => millis(value * 60_000);
export const hours = (value: number): Millis => millis(value * 3_600_000);

/** Throws a RangeError unless `value` is a whole number of milliseconds since 1970. */
export function epochMillis(value: number): EpochMillis {
  if (isEpochMillis(value)) return value;
  throw new RangeError(`no time in milliseconds since 1970: ${value}`);
}

export const later = (from: EpochMillis, by: Millis): EpochMillis => epochMillis(Math.round(from + by));

/** Time from `from` to `to`; 0 if `to` is earlier, since the clocks of two hosts differ. */
export const between = (from: EpochMillis, to: EpochMillis): Millis => millis(Math.max(0, to - from));
