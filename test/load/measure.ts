import { setTimeout as sleep } from "node:timers/promises";

import { type Bench } from "./bench.ts";
import { type Driver, inFlightOf, journalOf, markOf } from "./driver.ts";
import { Histogram } from "./histogram.ts";
import { ACCEPTED, type Journal, type Load, type Mark } from "./load-loop.ts";
import { type Cores, describeMachine } from "./machine.ts";
import { type Span } from "./profile.ts";
import { perSecond, readAll, type Reading } from "./reading.ts";
import { type Result, type StageName } from "./result.ts";

/** A part of the path, ready for load. */
export interface Trial {
  readonly stage: StageName;
  /** Makes the load. */
  readonly driver: Driver;
  /** Names of the processes whose CPU is the cost of a wakeup. */
  readonly counted: readonly string[];
  readonly latency: string;
  readonly setting: Readonly<Record<string, string | number>>;
  /** How many wakeups have reached the far end, if that is not where they are answered. */
  readonly arrived?: () => Promise<number>;
  /** Compares what was accepted with what arrived; after the load has ended. */
  readonly check?: (journal: Journal, window: Window) => Promise<Checked>;
}

/** Of the measured time, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Checked {
  /** In place of those of the answers. */
  readonly latencies?: Histogram;
  readonly details: Readonly<Record<string, number>>;
  /** Wakeups that were accepted and did not arrive. */
  readonly lost: number;
}

export interface Timing {
  readonly load: Load;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly cores: Cores;
  readonly signal: AbortSignal;
}

export interface Measured {
  readonly result: Result;
  readonly span: Span;
  readonly lost: number;
}

const MICROS_PER_SECOND = 1e6;
/** How often a closed loop hears what has arrived. */
const NEWS_EVERY = 25;
const DRAIN_WITHIN = 20_000;
const DRAIN_POLL = 50;

/** Loads the trial, lets it warm up, measures, lets it drain and checks that nothing was lost. */
export async function measure(trial: Trial, bench: Bench, timing: Timing): Promise<Measured> {
  const failed = Promise.race(bench.running.map(async (running) => running.failed));
  return Promise.race([failed, run(trial, bench, timing)]);
}

async function run(trial: Trial, bench: Bench, timing: Timing): Promise<Measured> {
  const { driver } = trial;
  await driver.ask({ kind: "start", load: timing.load });
  const [before, after] = await duringLoad(trial, timing, async () => {
    await sleep(timing.warmUpSeconds * 1000, undefined, { signal: timing.signal });
    const first = await readAll(trial, bench, timing.cores);
    await sleep(timing.seconds * 1000, undefined, { signal: timing.signal });
    return [first, await readAll(trial, bench, timing.cores)] as const;
  });
  await driver.ask({ kind: "stop" });
  const unanswered = await drain(trial, timing.signal);
  const checked = await trial.check?.(await journalOf(driver), { from: before.at, to: after.at });
  const result = resultOf(trial, timing, before, after);
  const answers = new Histogram(after.mark.latencies);
  const { p50Ms, p99Ms } = percentilesOf(answers);
  const replies = checked?.latencies === undefined ? {} : { acceptedP50Ms: p50Ms, acceptedP99Ms: p99Ms };
  return {
    result: {
      ...result,
      ...percentilesOf(checked?.latencies ?? answers),
      details: {
        ...result.details,
        ...checked?.details,
        ...(unanswered > 0 ? { unanswered } : {}),
        ...replies,
      },
    },
    span: { from: before.profileTime, to: after.profileTime },
    lost: (checked?.lost ?? 0) + unanswered,
  };
}

/** A closed loop must not run ahead of the far end, so it is told how far that has come. */
async function duringLoad<T>(
  { driver, arrived }: Trial,
  { load }: Timing,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const tell = async (): Promise<void> => {
    if (arrived === undefined || load.mode === "rate") return;
    while (!over.signal.aborted) {
      await driver.ask({ kind: "arrived", total: await arrived() });
      await sleep(NEWS_EVERY);
    }
  };
  const [result] = await Promise.all([work().finally(() => over.abort()), tell()]);
  return result;
}

function resultOf(
  trial: Trial,
  timing: Timing,
  before: Reading,
  after: Reading,
): Omit<Result, "p50Ms" | "p99Ms"> {
  const wakeupsPerSecond = wakeupsBetween(before, after);
  if (!(wakeupsPerSecond > 0)) {
    throw new Error(`no wakeup came through; answers: ${JSON.stringify(after.mark.answers)}`);
  }
  const perWakeup = new Map<string, number>();
  for (const [name, sample] of after.used) {
    perWakeup.set(name, perSecond(before.used.get(name) ?? sample, sample) / wakeupsPerSecond);
  }
  const costOf = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + (perWakeup.get(name) ?? 0), 0);
  const coresBusy = perSecond(before.busy, after.busy) / MICROS_PER_SECOND;
  const coresBusyByUs = (costOf(perWakeup.keys()) * wakeupsPerSecond) / MICROS_PER_SECOND;
  return {
    stage: trial.stage,
    wakeupsPerSecond,
    cpuMicrosPerWakeup: costOf(trial.counted),
    cpuMicrosByProcess: Object.fromEntries(perWakeup),
    conditions: {
      ...timing.load,
      latency: trial.latency,
      counted: trial.counted,
      cores: timing.cores.length,
      coresSharedBy: [...perWakeup.keys()],
      coresBusy,
      coresBusyByOthers: Math.max(0, coresBusy - coresBusyByUs),
      seconds: (after.mark.at - before.mark.at) / 1000,
      warmUpSeconds: timing.warmUpSeconds,
      ...describeMachine(),
      setting: trial.setting,
    },
    details: refusalsOf(before.mark, after.mark),
  };
}

/** Each second; where there is a far end, no more than have reached it. */
function wakeupsBetween(before: Reading, after: Reading): number {
  const accepted = perSecond(before.accepted, after.accepted);
  if (before.arrived === undefined || after.arrived === undefined) return accepted;
  return Math.min(accepted, perSecond(before.arrived, after.arrived));
}

const acceptedIn = (mark: Mark): number => mark.answers[ACCEPTED] ?? 0;

function refusalsOf(before: Mark, after: Mark): Record<string, number> {
  const others = Object.entries(after.answers).filter(([answer]) => answer !== ACCEPTED);
  return Object.fromEntries(others.map(([answer, count]) => [answer, count - (before.answers[answer] ?? 0)]));
}

const percentilesOf = (latencies: Histogram): Pick<Result, "p50Ms" | "p99Ms"> => ({
  p50Ms: latencies.percentile(0.5),
  p99Ms: latencies.percentile(0.99),
});

/** Waits until everything is answered and has arrived; gives how many answers are missing at the end. */
async function drain({ driver, arrived }: Trial, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + DRAIN_WITHIN;
  for (;;) {
    const inFlight = await inFlightOf(driver);
    const accepted = acceptedIn(await markOf(driver));
    const done = inFlight === 0 && (arrived === undefined || (await arrived()) >= accepted);
    if (done || performance.now() > deadline) return inFlight;
    await sleep(DRAIN_POLL, undefined, { signal });
  }
}
