import { performance } from "node:perf_hooks";

import { type Bench } from "./bench.ts";
import { markOf } from "./driver.ts";
import { ACCEPTED, type Mark } from "./load-loop.ts";
import { type Cores } from "./machine.ts";
import { type Trial } from "./measure.ts";
import { busyTimeOf, peakMemoryOf, processorTimeOf, writesOf } from "./proc.ts";
import { profileTime } from "./profile.ts";

/** A count at a time (milliseconds, by any steady clock): on a busy machine reading takes a while, too. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** All counts of a run, at about one time. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly profileTime: number;
  readonly mark: Mark;
  readonly accepted: Sample;
  readonly arrived: Sample | undefined;
  /** CPU time of the machine, in microseconds. */
  readonly busy: Sample;
  /** CPU time by name of process, in microseconds. */
  readonly used: ReadonlyMap<string, Sample>;
  /** Writing system calls by name of process. */
  readonly writes: ReadonlyMap<string, Sample>;
  /** By name of process, in MiB. */
  readonly peakMemory: ReadonlyMap<string, number>;
}

export async function readAll({ driver, arrived }: Trial, bench: Bench, cores: Cores): Promise<Reading> {
  const processes = [...bench.running, { name: "bench", pid: process.pid }];
  const used = processes.map(
    async ({ name, pid }) => [name, await sampled(async () => timeOf(pid))] as const,
  );
  const [mark, arrivals, busy, ...times] = await Promise.all([
    markOf(driver),
    arrived === undefined ? undefined : sampled(arrived),
    sampled(async () => busyTimeOf(cores)),
    ...used,
  ]);
  return {
    at: Date.now(),
    profileTime: profileTime(),
    mark,
    accepted: { at: mark.at, value: mark.answers[ACCEPTED] ?? 0 },
    arrived: arrivals,
    busy,
    used: new Map(times),
    writes: new Map(
      await Promise.all(
        processes.map(async ({ name, pid }) => [name, await sampled(async () => writesOf(pid))] as const),
      ),
    ),
    peakMemory: new Map(
      await Promise.all(processes.map(async ({ name, pid }) => [name, await peakMemoryOf(pid)] as const)),
    ),
  };
}

/** How much a count grew each second. */
export const perSecond = (before: Sample, after: Sample): number =>
  (1000 * (after.value - before.value)) / (after.at - before.at);

async function sampled(read: () => Promise<number>): Promise<Sample> {
  const value = await read();
  return { at: performance.now(), value };
}

// All other processes are children of this one; its own time is asked for differently.
async function timeOf(pid: number): Promise<number> {
  if (pid !== process.pid) return processorTimeOf(pid);
  const { user, system } = process.cpuUsage();
  return user + system;
}
