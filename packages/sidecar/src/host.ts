import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { type Clock, type MetricFamily, type Observe } from "@reveille/wakeup";

import { askRole, type RoleAnswer } from "./ask-role.ts";
import { counting, Departed, type Merge } from "./departed.ts";
import { parseSocketName, type RoleProcess } from "./role-process.ts";

export interface HostOptions {
  readonly runtimeDir: string;
  readonly clock: Clock;
  readonly merge: Merge;
  readonly observe: Observe;
}

/** The roles of this host as their sockets show them. Only `poll` changes it. */
export class Host {
  readonly #options: HostOptions;
  readonly #departed: Departed;
  /** By the name of the socket. */
  #processes: ReadonlyMap<string, RoleProcess> = new Map();
  #polling: Promise<void> | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#departed = new Departed(options.merge);
  }

  get processes(): readonly RoleProcess[] {
    return [...this.#processes.values()];
  }

  /** A list of families for each process, and one for those that have ended. */
  get metrics(): readonly (readonly MetricFamily[])[] {
    // Of a silent process only what it had counted is still true: its gauges are not.
    const running = this.processes.map(({ report, silentBecause }) =>
      report === undefined || silentBecause === undefined
        ? (report?.metrics ?? [])
        : counting(report.metrics),
    );
    return [...running, this.#departed.families];
  }

  /** Asks every role anew; callers meanwhile share the poll. Takes a second at most. */
  async poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => (this.#polling = undefined));
    await this.#polling;
  }

  async #poll(): Promise<void> {
    const { runtimeDir, clock } = this.#options;
    // A folder that is missing holds no roles; they make it when they start.
    const names = await readdir(runtimeDir).catch((): string[] => []);
    const found = await Promise.all(
      names.map(async (name): Promise<readonly [string, RoleProcess] | undefined> => {
        const id = parseSocketName(name);
        if (id === undefined) return undefined;
        const answer = await askRole(join(runtimeDir, name), clock);
        return answer.kind === "gone" ? undefined : [name, seen(id, answer, this.#processes.get(name))];
      }),
    );
    const processes = new Map(found.filter((each) => each !== undefined));
    this.#tellChanges(processes);
    this.#processes = processes;
  }

  #tellChanges(now: ReadonlyMap<string, RoleProcess>): void {
    const { observe } = this.#options;
    for (const [name, before] of this.#processes) {
      const { role, pid, report } = before;
      const after = now.get(name);
      const replaced = after?.report?.startedAt !== report?.startedAt;
      if (report !== undefined && replaced) this.#departed.add(report.metrics);
      if (after === undefined) observe({ kind: "role-process-changed", role, pid, state: "gone" });
    }
    for (const [name, { role, pid, silentBecause }] of now) {
      const before = this.#processes.get(name);
      if (before !== undefined && (before.silentBecause === undefined) === (silentBecause === undefined))
        continue;
      if (silentBecause === undefined)
        observe({ kind: "role-process-changed", role, pid, state: "answering" });
      else observe({ kind: "role-process-changed", role, pid, state: "silent", because: silentBecause });
    }
  }
}

function seen(
  id: Pick<RoleProcess, "role" | "pid">,
  answer: Exclude<RoleAnswer, { kind: "gone" }>,
  before: RoleProcess | undefined,
): RoleProcess {
  switch (answer.kind) {
    case "report":
      return { ...id, report: answer.report, silentBecause: undefined };
    case "silent":
      return { ...id, report: before?.report, silentBecause: answer.because };
  }
}
