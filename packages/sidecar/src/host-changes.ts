import { type PartHealth, type SidecarEvent } from "@reveille/wakeup";

import { type RoleProcess } from "./role-process.ts";

/** What has changed about the process behind one socket; `undefined`: there is none. */
export function changesOf(
  before: RoleProcess | undefined,
  after: RoleProcess | undefined,
): readonly SidecarEvent[] {
  if (after === undefined) return before === undefined ? [] : [processChanged(before, "gone")];
  if (before === undefined || isSuccessor(before, after)) {
    return [...changesOf(before, undefined), ...changesOf(nothingOf(after), after)];
  }
  if (after.silentBecause !== undefined) {
    return before.silentBecause === undefined ? [processChanged(after, "silent")] : [];
  }
  return changesOfAnswering(before, after);
}

/** True if another process has taken the place: the same role and process id, but started at another time. */
export function isSuccessor(before: RoleProcess, after: RoleProcess): boolean {
  return before.report !== undefined && before.report.startedAt !== after.report?.startedAt;
}

function changesOfAnswering(before: RoleProcess, after: RoleProcess): readonly SidecarEvent[] {
  const parts = after.report?.parts ?? [];
  const known = before.silentBecause === undefined ? (before.report?.parts ?? []) : undefined;
  // Whoever hears this forgets the parts and hears of each anew.
  if (known === undefined || namesOf(known) !== namesOf(parts)) {
    return [processChanged(after, "answering"), ...parts.map((part) => partChanged(after, part))];
  }
  return parts
    .filter(({ health }, index) => known[index]?.health.kind !== health.kind)
    .map((part) => partChanged(after, part));
}

const nothingOf = ({ role, pid, silentBecause }: RoleProcess): RoleProcess => ({
  role,
  pid,
  report: undefined,
  // So that whatever the first poll brings is a change.
  silentBecause: silentBecause === undefined ? "not asked yet" : undefined,
});

const namesOf = (parts: readonly PartHealth[]): string => parts.map(({ part }) => part).join("\n");

const partChanged = ({ role, pid }: RoleProcess, { part, health }: PartHealth): SidecarEvent => ({
  kind: "part-health-changed",
  role,
  pid,
  part,
  health,
});

function processChanged(
  { role, pid, silentBecause }: RoleProcess,
  state: "answering" | "silent" | "gone",
): SidecarEvent {
  const because = state === "silent" && silentBecause !== undefined ? { because: silentBecause } : {};
  return { kind: "role-process-changed", role, pid, state, ...because };
}
