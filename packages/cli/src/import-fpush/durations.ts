import { parseDuration } from "@reveille/runtime";
import { type Millis, millis } from "@reveille/wakeup";

/** A duration as `serde_humantime` takes it, such as `1m 30s` or `2 hours`; `undefined` for none or nothing. */
export function humanTime(text: string): Millis | undefined {
  const parts = text
    .trim()
    .split(/\s+(?=\d)/)
    .map((part) => parseDuration(shortUnit(part)));
  const sum = parts.reduce<number | undefined>(
    (total, part) => (total === undefined || part === undefined ? undefined : total + part),
    0,
  );
  return sum === undefined || sum === 0 ? undefined : millis(sum);
}

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/^(\d+)\s*(?:milliseconds?|millis|msec|ms)$/, "ms"],
  [/^(\d+)\s*(?:seconds?|secs?|s)$/, "s"],
  [/^(\d+)\s*(?:minutes?|mins?|m)$/, "m"],
  [/^(\d+)\s*(?:hours?|hrs?|hr|h)$/, "h"],
  [/^(\d+)\s*(?:days?|d)$/, "d"],
];

function shortUnit(part: string): string {
  for (const [shape, unit] of UNITS) {
    const [, amount] = shape.exec(part) ?? [];
    if (amount !== undefined) return `${amount}${unit}`;
  }
  return part;
}
