import { type EpochMillis, type Role } from "@reveille/wakeup";

import { isReady } from "../readiness.ts";
import { type RoleProcess } from "../role-process.ts";
import { type History, type Point, STEP } from "./history.ts";
import { METRICS } from "./metric-names.ts";
import { type Families, greatestOf, sumsBy, valuesOf } from "./series.ts";

/** What the public may know of a host: nothing about senders or devices, no addresses, no error texts. */
export interface Status {
  readonly region: string;
  readonly host: string;
  readonly version: string;
  /** Epoch milliseconds, as all times here. */
  readonly at: EpochMillis;
  readonly ready: boolean;
  readonly roles: readonly RoleStatus[];
  /** How many ingresses have a component in this state. */
  readonly components: Readonly<Record<string, number>>;
  readonly queue: {
    readonly batches: number | null;
    readonly oldestSeconds: number | null;
    readonly trailingDevices: number | null;
  };
  readonly connections: Readonly<Record<string, number>>;
  readonly modules: readonly ModuleStatus[];
  readonly now: Point | null;
  readonly history: { readonly stepSeconds: number; readonly points: readonly Point[] };
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

export interface ModuleStatus {
  readonly module: string;
  readonly breaker: "closed" | "open" | "probing";
  readonly credentialExpiresAt: number | null;
}

export interface StatusInput {
  readonly about: Pick<Status, "region" | "host" | "version">;
  readonly at: EpochMillis;
  readonly ready: boolean;
  readonly processes: readonly RoleProcess[];
  readonly families: Families;
  readonly history: History;
}

const ROLES = ["ingress", "worker"] as const satisfies readonly Role[];

export function statusOf({ about, at, ready, processes, families, history }: StatusInput): Status {
  const greatest = (name: string): number | null => greatestOf(valuesOf(families, name)) ?? null;
  return {
    ...about,
    at,
    ready,
    roles: ROLES.map((role) => roleStatus(role, processes)),
    components: statesOf(families, METRICS.component),
    queue: {
      batches: queuedBatches(families),
      oldestSeconds: greatest(METRICS.queueOldest),
      trailingDevices: greatest(METRICS.trailing),
    },
    connections: statesOf(families, METRICS.connections),
    modules: moduleStatuses(families),
    now: history.now ?? null,
    history: { stepSeconds: STEP / 1_000, points: history.points },
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

const statesOf = (families: Families, name: string): Readonly<Record<string, number>> =>
  Object.fromEntries(sumsBy(valuesOf(families, name), "state"));

/** Every process reads the region's queue, so the states of one of them are added up, not those of all. */
function queuedBatches(families: Families): number | null {
  const byState = Map.groupBy(valuesOf(families, METRICS.queueBatches), ({ labels }) => labels["state"]);
  if (byState.size === 0) return null;
  return [...byState.values()].reduce((sum, values) => sum + (greatestOf(values) ?? 0), 0);
}

function moduleStatuses(families: Families): readonly ModuleStatus[] {
  const breakers = valuesOf(families, METRICS.breaker).filter(({ value }) => value > 0);
  const expiries = valuesOf(families, METRICS.credentialExpiry);
  const modules = new Set([...breakers, ...expiries].map(({ labels }) => String(labels["module"])));
  return [...modules].toSorted().map((module) => {
    const states = new Set(
      breakers.filter(({ labels }) => labels["module"] === module).map(({ labels }) => labels["state"]),
    );
    const expiry = expiries
      .filter(({ labels }) => labels["module"] === module)
      .map(({ value }) => value * 1_000);
    return {
      module,
      breaker: states.has("open") ? "open" : states.has("probing") ? "probing" : "closed",
      credentialExpiresAt: expiry.length === 0 ? null : Math.min(...expiry),
    };
  });
}
