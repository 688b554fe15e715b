import { type ConfigChange, type RoleAnswer } from "@reveille/runtime";
import { type HostRole } from "@reveille/wakeup";

import { type ReloadAnswer } from "../role/live-config.ts";

/** A role of this host, and what it says about a reload. */
export interface RoleReload {
  readonly role: HostRole;
  readonly pid: number;
  readonly answer: ReloadAnswer | { readonly kind: "silent"; readonly because: string };
  /** Secrets that have changed since systemd copied them for the role, and which it sees now. */
  readonly renewed?: readonly string[];
  /** Secrets that have changed and which it does not see. */
  readonly stale?: { readonly files: readonly string[]; readonly because: string };
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
    const { key, before, after, file } = entry;
    if (typeof key !== "string") return [];
    return [{ key, before, after, ...(typeof file === "string" ? { file } : {}) }];
  });
}

/** What a role of this host makes of a reload, for people. */
export function reloadInWords({ role, pid, answer, renewed = [], stale }: RoleReload): string {
  const who = `${role} ${pid}`;
  switch (answer.kind) {
    case "refused":
      return `${who}: refused, nothing has changed\n  ${answer.because.replaceAll("\n", "\n  ")}`;
    case "silent":
      return `${who}: no answer: ${answer.because}`;
    case "reloaded": {
      const { applied, forRestart } = answer;
      const lines = [
        ...renewed.map((file) => `  read again        ${file}`),
        ...applied.map((change) => `  applied           ${lineOf(change)}`),
        ...forRestart.map((change) => `  needs a restart   ${lineOf(change)}`),
        ...(stale === undefined
          ? []
          : stale.files.map((file) => `  not read again    ${file}: ${stale.because}`)),
      ];
      if (lines.length > 0) return [`${who}: reloaded`, ...lines].join("\n");
      return `${who}: nothing differs${READS_CREDENTIALS.has(role) ? "; credentials read again" : ""}`;
    }
  }
}

const READS_CREDENTIALS: ReadonlySet<HostRole> = new Set(["front", "worker"]);

function lineOf({ key, before, after, file }: ConfigChange): string {
  if (file !== undefined) return `${key}: the content of ${file} has changed`;
  if (before === undefined) return `${key}: ${JSON.stringify(after)} (new)`;
  if (after === undefined) return `${key}: gone, was ${JSON.stringify(before)}`;
  return `${key}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
