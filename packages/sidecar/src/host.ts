import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { type Clock, type MetricFamily, type Observe } from "@reveille/wakeup";

import { askRole, type RoleAnswer } from "./ask-role.ts";
import { counting, Departed, type Merge } from "./departed.ts";
import { changesOf, isSuccessor } from "./host-changes.ts";
import { parseSocketName, type RoleProcess } from "./role-process.ts";

export interface HostOptions {
  readonly runtimeDir: string;
  readonly clock: Clock;
  readonly merge: Merge;
  readonly observe: Observe;
}

/** Processes by the name of their socket. */
type Processes = ReadonlyMap<string, RoleProcess>;

/** The roles of this host as their sockets show them. Only `poll` changes it. */
export class Host {
  readonly #options: HostOptions;
  readonly #departed: Departed;
  #processes: Processes = new Map();

  constructor(options: HostOptions) {
    this.#options = options;
    this.#departed = new Departed(options.merge);
  }

  get processes(): readonly RoleProcess[] {
    return [...this.#processes.values()];
  }

  /** A list of families for each process, and one for those that have ended. */
  get metrics(): readonly (readonly MetricFamily[])[] {
    return [...this.processes.map(familiesOf), this.#departed.families];
  }

  /** Asks every role anew. Takes a second at most and never rejects; not to be called while it runs. */
  async poll(): Promise<void> {
    const before = this.#processes;
    this.#processes = await this.#look();
    for (const name of new Set([...before.keys(), ...this.#processes.keys()])) {
      const [was, is] = [before.get(name), this.#processes.get(name)];
      if (was?.report !== undefined && (is === undefined || isSuccessor(was, is))) {
        this.#departed.add(was.report.metrics);
      }
      for (const event of changesOf(was, is)) this.#options.observe(event);
    }
  }

  async #look(): Promise<Processes> {
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
    return new Map(found.filter((each) => each !== undefined));
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

/** Of a silent process only what it had counted is still true: its gauges are not. */
function familiesOf({ report, silentBecause }: RoleProcess): readonly MetricFamily[] {
  const families = report?.metrics ?? [];
  return silentBecause === undefined ? families : counting(families);
}
