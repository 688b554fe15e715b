import { fieldsOf, type Program } from "@reveille/testkit";

/** What the roles' logs tell of one wakeup, by its `apns-id`; times in ms since 1970. */
export type WakeupRecord =
  | {
      readonly kind: "admitted";
      readonly at: number;
      readonly fingerprint: string;
      readonly apnsId: string;
      readonly verdict: string;
    }
  | {
      readonly kind: "settled";
      readonly at: number;
      readonly fingerprint: string;
      readonly apnsId: string;
      readonly outcome: string;
    };

/** Collects the records of single wakeups from the logs of roles; they write them at the level `debug`. */
export function followWakeups(roles: readonly Program[]): readonly WakeupRecord[] {
  const records: WakeupRecord[] = [];
  for (const role of roles) {
    role.onLine(({ text }) => {
      const record = recordIn(text);
      if (record !== undefined) records.push(record);
    });
  }
  return records;
}

function recordIn(line: string): WakeupRecord | undefined {
  const { event, time: at, wakeup, verdict, outcome } = fieldsOf(jsonIn(line));
  const { fingerprint, apnsId } = fieldsOf(wakeup);
  if (typeof at !== "number" || typeof fingerprint !== "string" || typeof apnsId !== "string")
    return undefined;
  if (event === "wakeup-admitted" && typeof verdict === "string") {
    return { kind: "admitted", at, fingerprint, apnsId, verdict };
  }
  const { kind } = fieldsOf(outcome);
  if (event === "delivery-settled" && typeof kind === "string") {
    return { kind: "settled", at, fingerprint, apnsId, outcome: kind };
  }
  return undefined;
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Not everything a process prints is a record, least of all when it crashes.
    return undefined;
  }
}
