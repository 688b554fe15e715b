import { type Health, type Millis, millis, type PartHealth, seconds } from "@reveille/wakeup";

import { type Host } from "./host.ts";
import { type RoleProcess } from "./role-process.ts";

/** Would a publish that arrives at this host now reach the push service? */
export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty if ready. */
  readonly reasons: readonly string[];
}

type HostFacts = Pick<Host, "processes" | "trouble" | "draining"> & {
  /**
   * Why users' servers refuse the certificate of the front. Where every host is in trouble, HAProxy leaves their traffic where it
   * is; otherwise it goes to one whose certificate they take.
   */
  readonly certificateTrouble?: string | undefined;
};

/** Part by which an ingress tells whether any worker of the region can send. */
const REGION_WORKER = "region-worker";

/**
 * Ready if one ingress of this host answers and has all it needs ready. Among that, it tells, is a worker somewhere in
 * the region: a host without any of its own is as good as the others, since they share one queue.
 */
export function readinessOf({ processes, trouble, draining, certificateTrouble }: HostFacts): Readiness {
  if (draining) return unready(["draining"]);
  if (certificateTrouble !== undefined) return unready([certificateTrouble]);
  if (trouble !== undefined) return unready([trouble]);
  const of = (role: RoleProcess["role"]) => processes.filter((process) => process.role === role);
  const ingresses = of("ingress");
  if (ingresses.length === 0) return unready(["no ingress runs on this host"]);
  if (ingresses.some(isReady)) return { ready: true, reasons: [] };
  const lacksWorkers = ingresses.some((ingress) =>
    unreadyParts(ingress).some(({ part }) => part === REGION_WORKER),
  );
  return unready([
    ...ingresses.flatMap(troublesOf),
    // What keeps those of this host from sending is a good guess at what keeps all of them.
    ...(lacksWorkers ? of("worker").flatMap(troublesOf) : []),
  ]);
}

/** Names of what keeps this host from being ready, without its texts, which may name addresses. */
export function lackingOf({
  processes,
  trouble,
  draining,
  certificateTrouble,
}: HostFacts): readonly string[] {
  if (draining) return ["draining"];
  if (certificateTrouble !== undefined) return ["front-certificate"];
  if (trouble !== undefined) return ["runtime-folder"];
  const ingresses = processes.filter(({ role }) => role === "ingress");
  if (ingresses.some(isReady)) return [];
  const answering = ingresses.filter(({ silentBecause }) => silentBecause === undefined);
  const parts = answering.flatMap((ingress) => unreadyParts(ingress).map(({ part }) => part));
  return parts.length === 0 ? ["ingress"] : [...new Set(parts)];
}

/** A restart of a process takes about a second; that alone should not move the host's traffic. */
const UNREADY_AFTER = seconds(1.5);

/** Part by which a role tells whether it has a connection to Redis. */
const REDIS = "redis";

/**
 * Sentinel takes 4 to 6 s to put another Redis in place of one that is gone. The ingresses hold publishes for as long as
 * 20 s, both hosts fare alike, and to move streams twice would cost senders more than to wait.
 */
const REDIS_FAILOVER = seconds(8);

/** How long an unready host is borne before its traffic goes elsewhere. */
export function patienceWith({ processes, draining }: Pick<Host, "processes" | "draining">): Millis {
  // Somebody wants it to be so.
  if (draining) return millis(0);
  const ingresses = processes.filter(({ role }) => role === "ingress");
  return ingresses.some(isHolding) ? REDIS_FAILOVER : UNREADY_AFTER;
}

const isHolding = (process: RoleProcess): boolean =>
  process.silentBecause === undefined && unreadyParts(process).some(({ part }) => part === REDIS);

const unready = (reasons: readonly string[]): Readiness => ({ ready: false, reasons });

/** True if the process answers and has all it needs. */
export const isReady = (process: RoleProcess): boolean => troublesOf(process).length === 0;

function troublesOf(process: RoleProcess): readonly string[] {
  const { role, pid, report, silentBecause } = process;
  const name = `${role} ${pid}`;
  if (silentBecause !== undefined || report === undefined)
    return [`${name}: ${silentBecause ?? "no report"}`];
  if (report.parts.length === 0) return [`${name} tells nothing of its parts`];
  return unreadyParts(process).map(({ part, health }) => `${name}: ${part} is ${inWords(health)}`);
}

/** Parts that are not ready, unless another one stands in for them. */
function unreadyParts({ report }: RoleProcess): readonly PartHealth[] {
  const parts = report?.parts ?? [];
  const works = ({ health }: PartHealth): boolean => health.kind === "ready";
  const served = new Set(parts.filter(works).map(({ anyOf }) => anyOf));
  return parts.filter((part) => !works(part) && (part.anyOf === undefined || !served.has(part.anyOf)));
}

const inWords = (health: Health): string =>
  health.kind === "failing" ? `failing: ${health.because}` : health.kind;
