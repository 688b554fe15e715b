import { type Millis, millis } from "@reveille/wakeup";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHAPE = /^(\d{1,13}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;
/** A century; keeps every sum of a time and a duration a safe integer. */
const LONGEST = 36_525 * UNITS.d;

const isUnit = (text: string): text is keyof typeof UNITS => text in UNITS;

/** `500ms`, `20s`, `1.5h`, `28d`; `undefined` for anything else, so also for a number without unit. */
export function parseDuration(text: string): Millis | undefined {
  const [, amount, unit] = SHAPE.exec(text) ?? [];
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined;
  const duration = Math.round(Number(amount) * UNITS[unit]);
  return duration <= LONGEST ? millis(duration) : undefined;
}

/** The shortest text that `parseDuration` reads back as the same duration. */
export function formatDuration(duration: Millis): string {
  const units = Object.entries(UNITS).toReversed();
  const [name, size] = units.find(([, size]) => duration % size === 0 && duration >= size) ?? ["ms", 1];
  return `${duration / size}${name}`;
}
