import { setTimeout as sleep } from "node:timers/promises";

import { type Bench } from "./bench.ts";
import { type Driver, inFlightOf, journalOf, markOf } from "./driver.ts";
import { type Histogram } from "./histogram.ts";
import { ACCEPTED, type Journal, type Load } from "./load-loop.ts";
import { type Cores } from "./machine.ts";
import { type Span } from "./profile.ts";
import { readAll } from "./reading.ts";
import { resultOf } from "./result-of.ts";
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
  /** Compares what was accepted with what has arrived so far; after the load has ended. */
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

/** How often a closed loop hears what has arrived. */
const NEWS_EVERY = 25;
/** How long accepted wakeups may take to the far end when the load has ended. */
const SETTLED_WITHIN = 15_000;
const LOOK_EVERY = 100;

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
  const deadline = performance.now() + SETTLED_WITHIN;
  const unanswered = await drain(trial, timing.signal, deadline);
  const checked = await check(trial, { from: before.at, to: after.at }, timing.signal, deadline);
  return {
    result: resultOf({ trial, timing, before, after, checked, unanswered }),
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

/** Waits until everything is answered and has arrived; gives how many answers are missing at the deadline. */
async function drain({ driver, arrived }: Trial, signal: AbortSignal, deadline: number): Promise<number> {
  for (;;) {
    const inFlight = await inFlightOf(driver);
    const accepted = (await markOf(driver)).answers[ACCEPTED] ?? 0;
    const done = inFlight === 0 && (arrived === undefined || (await arrived()) >= accepted);
    if (done || performance.now() > deadline) return inFlight;
    await sleep(LOOK_EVERY, undefined, { signal });
  }
}

/** Nothing counts as lost before the deadline: it may still come, and duplicates make the number look right. */
async function check(
  trial: Trial,
  window: Window,
  signal: AbortSignal,
  deadline: number,
): Promise<Checked | undefined> {
  if (trial.check === undefined) return undefined;
  const journal = await journalOf(trial.driver);
  for (;;) {
    const checked = await trial.check(journal, window);
    if (checked.lost === 0 || performance.now() > deadline) return checked;
    await sleep(LOOK_EVERY, undefined, { signal });
  }
}
