import { type Arrivals, checkArrivals } from "../arrivals.ts";
import { type Bench } from "../bench.ts";
import { type Journal } from "../load-loop.ts";
import { type Checked, type Window } from "../measure.ts";
import { startNginx } from "./nginx.ts";
import { startSimulator } from "./simulator.ts";

/** An end for pushes that is not the bottleneck: answers 200 to everything. */
export interface ApnsEnd {
  /** Which program it is. */
  readonly name: string;
  readonly port: number;
  readonly caFile: string;
  /** How many pushes it was asked for since the start. */
  readonly requests: () => Promise<number>;
  /** Every wakeup it was asked for, if it keeps them, a second ago or earlier. */
  readonly arrivals?: () => Promise<Arrivals>;
}

export const startApns = async (bench: Bench, name: "nginx" | "simulator"): Promise<ApnsEnd> =>
  name === "nginx" ? startNginx(bench) : startSimulator(bench);

/** Looks every accepted wakeup up; where only a number is kept, compares the numbers. */
export async function checkPushes(apns: ApnsEnd, journal: Journal, window: Window): Promise<Checked> {
  if (apns.arrivals !== undefined) return checkArrivals(journal, await apns.arrivals(), window);
  const accepted = journal.accepted.reduce((sum, state) => sum + state, 0);
  const lost = Math.max(0, accepted - (await apns.requests()));
  return { lost, details: { lost } };
}
