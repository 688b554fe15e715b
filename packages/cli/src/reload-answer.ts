import { type ConfigChange, type RoleAnswer } from "@reveille/runtime";

import { type ReloadAnswer } from "./live-config.ts";

/** A role of this host, and what it says about a reload. */
export interface RoleReload {
  readonly role: string;
  readonly pid: number;
  readonly answer: ReloadAnswer | { readonly kind: "silent"; readonly because: string };
}

/** Reads what came from a role, which may be of another version. Never throws. */
export function parseReloadAnswer(answer: RoleAnswer): RoleReload["answer"] {
  if (answer.kind === "silent") return answer;
  const { body } = answer;
  if (isRecord(body)) {
    const { kind, because, applied, forRestart } = body;
    if (kind === "refused" && typeof because === "string") return { kind, because };
    if (kind === "reloaded") return { kind, applied: changesIn(applied), forRestart: changesIn(forRestart) };
  }
  return { kind: "silent", because: `it does not know how to reload (status ${answer.status}); restart it` };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function changesIn(value: unknown): readonly ConfigChange[] {
  if (!Array.isArray(value)) return [];
  const entries: readonly unknown[] = value;
  return entries.flatMap((entry) => {
    if (!isRecord(entry)) return [];
    const { key, before, after } = entry;
    return typeof key === "string" ? [{ key, before, after }] : [];
  });
}
