/** State of one part of a process, answered from memory. */
export type Health =
  | { readonly kind: "starting" }
  | { readonly kind: "ready" }
  | { readonly kind: "draining" }
  | {
      readonly kind: "failing";
      readonly because: string;
      /** Makes no progress although it has all it needs: only a new process mends that. */
      readonly stuck?: boolean;
    };

/** A part's name (`component`, `queue`, `apns …`, `fcm …`, a closed set) with its state now. */
export interface PartHealth {
  readonly part: string;
  readonly health: Health;
  /**
   * Parts of a process with the same `anyOf` stand in for each other: one that is ready suffices. So a module
   * whose credential is refused does not take the others' host out of service.
   */
  readonly anyOf?: string;
}

/** A process that reports to the sidecar of its host; a host without a canary, or with another front, lacks nothing. */
export const ROLES = ["front", "ingress", "worker", "canary"] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (text: unknown): text is Role => ROLES.some((role) => role === text);

/** Whatever of a host has a socket in the runtime folder. */
export type HostRole = Role | "sidecar";

/** Role and process id from the name of the socket `<role>-<pid>.sock` at which a process reports. */
export function parseSocketName(name: string): { readonly role: HostRole; readonly pid: number } | undefined {
  const [, role, pid] = /^([a-z]+)-(\d+)\.sock$/.exec(name) ?? [];
  return isRole(role) || role === "sidecar" ? { role, pid: Number(pid) } : undefined;
}

/** One metric of a process, in the JSON form of prom-client (`registry.getMetricsAsJSON()`). */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/**
 * What a role tells the sidecar of its host: `GET /report` on the Unix socket `<role>-<pid>.sock` of the
 * runtime folder. With `?metrics=none` there are no metrics in it.
 */
export interface RoleReport {
  readonly role: Role;
  readonly pid: number;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly parts: readonly PartHealth[];
  readonly metrics: readonly MetricFamily[];
}
