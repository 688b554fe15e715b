import { type EpochMillis, type MetricValue, type Role } from "@reveille/wakeup";

import { isReady } from "../readiness.ts";
import { type RoleProcess } from "../role-process.ts";
import { type History, type Point, STEP } from "./history.ts";
import { METRICS } from "./metric-names.ts";
import { type ModuleStatus, moduleStatuses } from "./module-status.ts";
import { type Families, greatestOf, sumsBy, valuesOf } from "./series.ts";

/** What the public may know of a host: nothing about senders or devices, no addresses, no error texts. */
export interface Status {
  readonly region: string;
  readonly host: string;
  readonly version: string;
  /** Epoch milliseconds, as all times here. */
  readonly at: EpochMillis;
  readonly ready: boolean;
  /** What is missing, by the names of parts; empty while the host is ready. */
  readonly lacking: readonly string[];
  readonly roles: readonly RoleStatus[];
  /** How many ingresses have the component at the front of this host in this state. */
  readonly components: Readonly<Record<string, number>>;
  readonly queue: {
    readonly batches: number | null;
    readonly oldestSeconds: number | null;
    readonly trailingDevices: number | null;
  };
  readonly connections: Readonly<Record<string, number>>;
  readonly modules: readonly ModuleStatus[];
  readonly failover: FailoverStatus;
  /** How many domains that published within two hours our replies reach, and how many not; `null`: no ingress says so. */
  readonly repliesReach: { readonly reached: number; readonly unreached: number } | null;
  /** How far this host's clock is ahead of Redis', or behind it (negative); `null`: no role has compared them. */
  readonly clockAheadSeconds: number | null;
  readonly now: Point | null;
  readonly history: HistoryStatus;
}

/** The last hour, as far as this sidecar knows it. */
export interface HistoryStatus {
  /** When its record begins, which is when this sidecar started: what lies before is not known, and not nothing. */
  readonly since: EpochMillis | null;
  /** Length of most points. */
  readonly stepSeconds: number;
  readonly points: readonly Point[];
}

export interface RoleStatus {
  readonly role: Role;
  /** Processes that answer, */
  readonly answering: number;
  /** of which have all their parts ready, */
  readonly ready: number;
  /** and that have a socket but give no report. */
  readonly silent: number;
}

/** What stands by. `null`: there is none, or nobody knows. */
export interface FailoverStatus {
  readonly redis: { readonly part: "primary" | "replica"; readonly replicas: number } | null;
  readonly sentinels: { readonly configured: number; readonly agreeing: number } | null;
  /** Fronts of other hosts that this one stands by for, by the state of our component there; empty if there is none. */
  readonly otherFronts: Readonly<Record<string, number>>;
  /** When the first of the watched fronts' certificates expires; 0 if one serves none. */
  readonly certificateExpiresAt: number | null;
}

export interface StatusInput {
  readonly about: Pick<Status, "region" | "host" | "version">;
  readonly at: EpochMillis;
  readonly ready: boolean;
  readonly lacking: readonly string[];
  /** See `WatchOptions`. */
  readonly ownComponents: readonly string[] | undefined;
  readonly certificateExpiresAt: number | undefined;
  readonly processes: readonly RoleProcess[];
  readonly families: Families;
  readonly history: History;
}

const ROLES = ["ingress", "worker"] as const satisfies readonly Role[];

export function statusOf(input: StatusInput): Status {
  const { about, at, ready, lacking, processes, families, history } = input;
  const greatest = (name: string): number | null => greatestOf(valuesOf(families, name)) ?? null;
  const { own, others } = frontsOf(families, input.ownComponents);
  return {
    ...about,
    at,
    ready,
    lacking: ready ? [] : lacking,
    roles: ROLES.map((role) => roleStatus(role, processes)),
    components: own,
    queue: {
      batches: queuedBatches(families),
      oldestSeconds: greatest(METRICS.queueOldest),
      trailingDevices: greatest(METRICS.trailing),
    },
    connections: statesOf(valuesOf(families, METRICS.connections)),
    modules: moduleStatuses(processes, families),
    failover: {
      ...redisStatus(families),
      otherFronts: others,
      certificateExpiresAt: input.certificateExpiresAt ?? null,
    },
    repliesReach: repliesReach(families),
    clockAheadSeconds: clockAhead(families),
    now: history.now ?? null,
    history: { since: history.since ?? null, stepSeconds: STEP / 1_000, points: history.points },
  };
}

function clockAhead(families: Families): number | null {
  const of = (direction: string): number | undefined =>
    greatestOf(
      valuesOf(families, METRICS.clockSkew).filter(({ labels }) => labels["direction"] === direction),
    );
  const [ahead, behind] = [of("ahead"), of("behind")];
  if (ahead === undefined || behind === undefined) return null;
  return ahead >= behind ? ahead : -behind;
}

function repliesReach(families: Families): Status["repliesReach"] {
  const of = (replies: string): number | undefined =>
    greatestOf(
      valuesOf(families, METRICS.sendingDomains).filter(({ labels }) => labels["replies"] === replies),
    );
  const [reached, unreached] = [of("reached"), of("unreached")];
  return reached === undefined || unreached === undefined ? null : { reached, unreached };
}

function redisStatus(families: Families): Pick<FailoverStatus, "redis" | "sentinels"> {
  const of = (name: string, state: string): number =>
    greatestOf(valuesOf(families, name).filter(({ labels }) => labels["state"] === state)) ?? 0;
  const isPrimary = of(METRICS.redisPart, "primary") > 0;
  const isKnown = isPrimary || of(METRICS.redisPart, "replica") > 0;
  const replicas = greatestOf(valuesOf(families, METRICS.replicas)) ?? 0;
  const configured = of(METRICS.sentinels, "configured");
  return {
    redis: isKnown ? { part: isPrimary ? "primary" : "replica", replicas } : null,
    sentinels: configured > 0 ? { configured, agreeing: of(METRICS.sentinels, "agreeing") } : null,
  };
}

function roleStatus(role: Role, all: readonly RoleProcess[]): RoleStatus {
  const processes = all.filter((process) => process.role === role);
  const answering = processes.filter(({ silentBecause }) => silentBecause === undefined);
  return {
    role,
    answering: answering.length,
    ready: processes.filter(isReady).length,
    silent: processes.length - answering.length,
  };
}

type States = Readonly<Record<string, number>>;

const statesOf = (values: readonly MetricValue[]): States => Object.fromEntries(sumsBy(values, "state"));

/** Told apart here, since the names of components are addresses. */
function frontsOf(families: Families, ownComponents?: readonly string[]): { own: States; others: States } {
  const all = valuesOf(families, METRICS.component);
  const isOwn = ({ labels }: MetricValue): boolean =>
    ownComponents?.includes(String(labels["component"])) ?? true;
  return { own: statesOf(all.filter(isOwn)), others: statesOf(all.filter((value) => !isOwn(value))) };
}

/** Every process reads the region's queue, so the states of one of them are added up, not those of all. */
function queuedBatches(families: Families): number | null {
  const byState = Map.groupBy(valuesOf(families, METRICS.queueBatches), ({ labels }) => labels["state"]);
  if (byState.size === 0) return null;
  return [...byState.values()].reduce((sum, values) => sum + (greatestOf(values) ?? 0), 0);
}
