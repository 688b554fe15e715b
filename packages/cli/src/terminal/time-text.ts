import { type EpochMillis } from "@reveille/wakeup";

const FORMAT = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" });

/** A point in time for people, in UTC. */
export const timeText = (at: EpochMillis): string => `${FORMAT.format(at)} UTC`;

/** How long, in the unit that people would use: `8 days`, `3 hours`, `5 minutes`, `45 s`. */
export function durationText(duration: number): string {
  const inSeconds = Math.ceil(duration / 1_000);
  const [length, name] = UNITS.find(([unit]) => inSeconds >= 2 * unit) ?? [1, "s"];
  return `${Math.round(inSeconds / length)} ${name}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, "days"],
  [3_600, "hours"],
  [60, "minutes"],
];
