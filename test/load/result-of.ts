import { Histogram } from "./histogram.ts";
import { ACCEPTED, type Mark } from "./load-loop.ts";
import { describeMachine } from "./machine.ts";
import { type Checked, type Timing, type Trial } from "./measure.ts";
import { perSecond, type Reading, type Sample } from "./reading.ts";
import { type Conditions, type Result } from "./result.ts";

const MICROS_PER_SECOND = 1e6;

/** What a run has shown. */
export interface Seen {
  readonly trial: Pick<Trial, "stage" | "latency" | "counted" | "setting">;
  readonly timing: Pick<Timing, "load" | "warmUpSeconds" | "cores">;
  readonly before: Reading;
  readonly after: Reading;
  readonly checked: Checked | undefined;
  readonly unanswered: number;
}

/** Throws if no wakeup came through while it was measured. */
export function resultOf(seen: Seen): Result {
  const { trial, before, after, checked } = seen;
  const isIdle = seen.timing.load.mode === "idle";
  const wakeupsPerSecond = isIdle ? 0 : wakeupsBetween(before, after);
  if (!isIdle && !(wakeupsPerSecond > 0)) {
    throw new Error(`no wakeup came through; answers: ${JSON.stringify(after.mark.answers)}`);
  }
  const per = isIdle ? 1 : wakeupsPerSecond;
  const costs = sharesOf(before.used, after.used, per);
  const replies = new Histogram(after.mark.latencies);
  return {
    stage: trial.stage,
    wakeupsPerSecond,
    cpuMicrosPerWakeup: sumOf(trial.counted.map((name) => costs[name] ?? 0)),
    cpuMicrosByProcess: costs,
    writesByProcess: sharesOf(before.writes, after.writes, per),
    ...percentilesOf(checked?.latencies ?? replies),
    conditions: conditionsOf(seen, sumOf(Object.values(costs)) * per),
    details: detailsOf(seen, replies),
    peakMemoryMiB: Object.fromEntries(after.peakMemory),
  };
}

type Counts = ReadonlyMap<string, Sample>;

/** What each process used in a second, divided by `per`. */
const sharesOf = (before: Counts, after: Counts, per: number): Record<string, number> =>
  Object.fromEntries(
    [...after].map(([name, sample]) => [name, perSecond(before.get(name) ?? sample, sample) / per]),
  );

/** `used`: CPU time of all our processes, in microseconds each second. */
function conditionsOf({ trial, timing, before, after }: Seen, used: number): Conditions {
  const busy = perSecond(before.busy, after.busy);
  return {
    ...timing.load,
    latency: trial.latency,
    counted: trial.counted,
    cores: timing.cores.length,
    coresSharedBy: [...after.used.keys()],
    coresBusy: busy / MICROS_PER_SECOND,
    coresBusyByOthers: Math.max(0, busy - used) / MICROS_PER_SECOND,
    seconds: (after.mark.at - before.mark.at) / 1000,
    warmUpSeconds: timing.warmUpSeconds,
    ...describeMachine(),
    setting: trial.setting,
  };
}

function detailsOf({ before, after, checked, unanswered }: Seen, replies: Histogram): Result["details"] {
  const { p50Ms, p99Ms } = percentilesOf(replies);
  return {
    ...refusalsOf(before.mark, after.mark),
    ...checked?.details,
    ...(unanswered > 0 ? { unanswered } : {}),
    ...(checked?.latencies === undefined ? {} : { acceptedP50Ms: p50Ms, acceptedP99Ms: p99Ms }),
  };
}

/** Each second; where there is a far end, no more than have reached it. */
function wakeupsBetween(before: Reading, after: Reading): number {
  const accepted = perSecond(before.accepted, after.accepted);
  if (before.arrived === undefined || after.arrived === undefined) return accepted;
  return Math.min(accepted, perSecond(before.arrived, after.arrived));
}

function refusalsOf(before: Mark, after: Mark): Record<string, number> {
  const others = Object.entries(after.answers).filter(([answer]) => answer !== ACCEPTED);
  return Object.fromEntries(others.map(([answer, count]) => [answer, count - (before.answers[answer] ?? 0)]));
}

const percentilesOf = (latencies: Histogram): Pick<Result, "p50Ms" | "p99Ms"> => ({
  p50Ms: latencies.percentile(0.5),
  p99Ms: latencies.percentile(0.99),
});

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
