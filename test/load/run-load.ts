import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Bench } from "./bench.ts";
import { type Load } from "./load-loop.ts";
import { type Cores } from "./machine.ts";
import { measure, type Measured } from "./measure.ts";
import { type Options } from "./options.ts";
import { type Planned } from "./plan.ts";
import { profileOptions, profilesOf } from "./profile.ts";

/** What starting, settling and checking may take beside the load itself, in milliseconds. */
const PATIENCE = 30_000;

export interface LoadRun {
  readonly load: Load;
  readonly setUp: Planned["setUp"];
  readonly options: Options;
  readonly cores: Cores;
  readonly signal: AbortSignal;
}

/** Puts one load on processes of its own, which are gone when it settles; and says where their CPU went, if wanted. */
export async function runLoad(run: LoadRun): Promise<Measured & { readonly profiles: string }> {
  if (!run.options.profile) return { ...(await inBench(run, [], () => undefined)), profiles: "" };
  const folder = await mkdtemp(join(tmpdir(), "reveille-profiles-"));
  try {
    const names = new Map<number, string>();
    const note = ({ running }: Bench): void => {
      for (const { pid, name } of running) names.set(pid, name);
    };
    const measured = await inBench(run, profileOptions(folder), note);
    return { ...measured, profiles: await profilesOf(folder, names, measured.span) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inBench(
  { load, setUp, options, cores, signal }: LoadRun,
  nodeOptions: readonly string[],
  onReady: (bench: Bench) => void,
): Promise<Measured> {
  await using bench = await Bench.open(nodeOptions);
  const { seconds, warmUpSeconds } = options;
  const deadline = AbortSignal.timeout(1000 * (seconds + warmUpSeconds) + PATIENCE);
  const ended = AbortSignal.any([signal, deadline]);
  const measuring = async (): Promise<Measured> => {
    const trial = await setUp(bench);
    onReady(bench);
    return measure(trial, bench, { load, seconds, warmUpSeconds, cores, signal: ended });
  };
  return await Promise.race([measuring(), aborted(ended)]);
}

/** Never resolves; rejects when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error("given up", { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
