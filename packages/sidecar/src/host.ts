import { readdir } from "node:fs/promises";
import { join } from "node:path";

import {
  type Clock,
  type EpochMillis,
  isRole,
  type MetricFamily,
  networkTrouble,
  type Observe,
  parseSocketName,
  seconds,
} from "@reveille/wakeup";

import { askRole, type ReportDetail, type RoleAnswer } from "./ask-role.ts";
import { counting, Departed, type Merge } from "./departed.ts";
import { changesOf, isSuccessor } from "./host-changes.ts";
import { type RoleProcess } from "./role-process.ts";

/** Name of the file in the runtime folder by which an operator has this host drained. */
const DRAINING = "draining";

/** From its start until a process counts anything: it reads its configuration, and asks for Redis. */
const STARTING = seconds(2);

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
  readonly #processes = new Map<string, RoleProcess>();

  /** What processes had counted when they were seen first though they had started long before. */
  #countedBefore: readonly MetricFamily[] = [];
  /** When the newest poll for everything began. */
  #lookedAt: EpochMillis | undefined;
  #trouble: string | undefined;
  #draining = false;
  #polls = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#departed = new Departed(options.merge);
  }

  /** Why no role can be seen, whether they run or not. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** An operator has put the file `draining` into the runtime folder: traffic is to go elsewhere. */
  get draining(): boolean {
    return this.#draining;
  }

  get processes(): readonly RoleProcess[] {
    return [...this.#processes.values()];
  }

  /** A list of families for each process, and one for those that have ended. */
  get metrics(): readonly (readonly MetricFamily[])[] {
    return [...this.processes.map(familiesOf), this.#departed.families];
  }

  /** As `metrics`, less what was counted unseen: nobody knows when that was, so it is no growth of now. */
  get growth(): readonly (readonly MetricFamily[])[] {
    return [...this.metrics, this.#countedBefore.map(negated)];
  }

  /**
   * Asks every role anew: for everything, or for its health alone, which costs a tenth. Takes a second at most and
   * never rejects. A new poll takes the place of one in hand: what that one brings later is old, and counts no more.
   */
  async poll(detail: ReportDetail): Promise<void> {
    const { runtimeDir, clock } = this.#options;
    const poll = (this.#polls += 1);
    const askedAt = clock.now();
    const names = await this.#fileNames();
    if (poll !== this.#polls) return;
    this.#draining = names.includes(DRAINING);
    for (const name of this.#processes.keys()) if (!names.includes(name)) this.#apply(name, undefined);
    await Promise.all(
      names.map(async (name) => {
        const { role, pid } = parseSocketName(name) ?? {};
        if (pid === undefined || !isRole(role)) return;
        const id = { role, pid };
        const answer = await askRole(join(runtimeDir, name), detail, clock);
        if (poll === this.#polls) this.#apply(name, seen(id, answer, this.#processes.get(name)));
      }),
    );
    if (detail === "all" && poll === this.#polls) this.#lookedAt = askedAt;
  }

  async #fileNames(): Promise<readonly string[]> {
    const { runtimeDir } = this.#options;
    try {
      const names = await readdir(runtimeDir);
      this.#trouble = undefined;
      return names;
    } catch (error) {
      // A folder that is missing holds no roles, they make it when they start; one that is closed hides them.
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing) this.#trouble = `cannot look into ${runtimeDir}: ${networkTrouble(error)}`;
      return [];
    }
  }

  #apply(name: string, is: RoleProcess | undefined): void {
    const was = this.#processes.get(name);
    if (was?.report !== undefined && (is === undefined || isSuccessor(was, is))) {
      this.#departed.add(was.report.metrics);
    }
    if (is !== undefined && isFirstCount(was, is) && !this.#hasJustStarted(is)) {
      this.#countedBefore = this.#options.merge([this.#countedBefore, counting(is.report?.metrics ?? [])]);
    }
    if (is === undefined) this.#processes.delete(name);
    else this.#processes.set(name, is);
    for (const event of changesOf(was, is)) this.#options.observe(event);
  }

  /** Everything it has counted, it has counted since the newest poll; at the first one there is nothing to grow from. */
  #hasJustStarted({ report }: RoleProcess): boolean {
    return this.#lookedAt === undefined || (report?.startedAt ?? 0) + STARTING > this.#lookedAt;
  }
}

/** True if this is the first that is known of what the process has counted. */
const isFirstCount = (was: RoleProcess | undefined, is: RoleProcess): boolean =>
  (is.report?.metrics.length ?? 0) > 0 &&
  (was === undefined || isSuccessor(was, is) || (was.report?.metrics.length ?? 0) === 0);

const negated = (family: MetricFamily): MetricFamily => ({
  ...family,
  values: family.values.map((each) => ({ ...each, value: -each.value })),
});

function seen(
  id: Pick<RoleProcess, "role" | "pid">,
  answer: RoleAnswer,
  before: RoleProcess | undefined,
): RoleProcess | undefined {
  switch (answer.kind) {
    case "report": {
      const { report } = answer;
      const isSame = before?.report?.startedAt === report.startedAt;
      // An answer about health alone leaves the metrics as they were.
      const metrics =
        answer.detail === "all" ? report.metrics : isSame ? (before?.report?.metrics ?? []) : [];
      return { ...id, report: { ...report, metrics }, silentBecause: undefined };
    }
    case "silent":
      return { ...id, report: before?.report, silentBecause: answer.because };
    case "gone":
      return undefined;
  }
}

/** Of a silent process only what it had counted is still true: its gauges are not. */
function familiesOf({ report, silentBecause }: RoleProcess): readonly MetricFamily[] {
  const families = report?.metrics ?? [];
  return silentBecause === undefined ? families : counting(families);
}
