import { type EpochMillis } from "@reveille/wakeup";

const FORMAT = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" });

/** A point in time for people, in UTC. */
export const timeText = (at: EpochMillis): string => `${FORMAT.format(at)} UTC`;
