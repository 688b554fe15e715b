import { type Load } from "./load-loop.ts";

export const STAGES = [
  "ingress",
  "front",
  "admission-queue",
  "delivery",
  "end-to-end",
  "light-load",
  "idle",
] as const;
export type StageName = (typeof STAGES)[number];

/**
 * One measurement. Every number is measured in that run; CPU times are in microseconds per wakeup. Without load, a second
 * stands for a wakeup: 10,000 are then 1 % of a core.
 */
export interface Result {
  readonly stage: StageName;
  readonly wakeupsPerSecond: number;
  /** Of the processes in `conditions.counted`, together. */
  readonly cpuMicrosPerWakeup: number;
  readonly cpuMicrosByProcess: Readonly<Record<string, number>>;
  /** System calls that write, per wakeup: each may wake another process. */
  readonly writesByProcess: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly conditions: Conditions;
  /** By process; what it had in memory at most, since its start. */
  readonly peakMemoryMiB: Readonly<Record<string, number>>;
  /** What else was seen, e.g. refusals, losses, further latencies. */
  readonly details: Readonly<Record<string, number>>;
}

export type Conditions = Load & {
  /** What the latencies span, e.g. `publish to reply`. */
  readonly latency: string;
  readonly counted: readonly string[];
  /** How many cores there were for all processes together. */
  readonly cores: number;
  /** All processes of the run, which share those cores. */
  readonly coresSharedBy: readonly string[];
  /** Cores kept busy on the whole: by this run, and by anybody else on the machine. */
  readonly coresBusy: number;
  readonly coresBusyByOthers: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly processor: string;
  readonly node: string;
  /** What the stage adds, e.g. `apns: "nginx"`. */
  readonly setting: Readonly<Record<string, string | number>>;
};
