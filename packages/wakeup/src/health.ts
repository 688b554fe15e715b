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
export type Role = "front" | "ingress" | "worker" | "canary";

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
