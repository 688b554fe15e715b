import { fstatSync } from "node:fs";

/**
 * Whether this file descriptor of the process is connected with systemd's journal (systemd.exec(5), `JOURNAL_STREAM`): then a
 * line may begin with its priority.
 */
export function isJournal(
  descriptor: number,
  stream: string | undefined = process.env["JOURNAL_STREAM"],
): boolean {
  try {
    const { dev, ino } = fstatSync(descriptor);
    return stream === `${dev}:${ino}`;
  } catch {
    // Closed: nobody reads it.
    return false;
  }
}

/** As in syslog (sd-daemon(3)). */
const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ["fatal", 2],
  ["error", 3],
  ["warn", 4],
  ["info", 6],
  ["debug", 7],
  ["trace", 7],
]);

/** What the journal takes off the line of a record as its priority; nothing for one without a level. */
export function priorityOf(record: string): string {
  const [, level = ""] = /^\{"level":"([a-z]+)"/.exec(record) ?? [];
  const priority = PRIORITIES.get(level);
  return priority === undefined ? "" : `<${priority}>`;
}

/** A text of several lines, each an error to the journal. */
export const asErrors = (text: string): string => text.replaceAll(/^(?=.)/gm, "<3>");
