import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Bench } from "./bench.ts";
import { type Cores, shareTwoCores } from "./machine.ts";
import { measure, type Measured } from "./measure.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { loadOf, type Planned, withOptions } from "./plan.ts";
import { profileOptions, profilesOf } from "./profile.ts";
import { jsonOf, loadOf as textOf, tableOf } from "./report.ts";
import { type Result, type StageName } from "./result.ts";
import { admissionQueueStage } from "./stages/admission-queue.ts";
import { deliveryStage } from "./stages/delivery.ts";
import { endToEndStage } from "./stages/end-to-end.ts";
import { ingressStage } from "./stages/ingress.ts";
import { ensureTools } from "./tools.ts";

const PLANS: Record<StageName, (options: Options) => readonly Planned[]> = {
  ingress: () => ingressStage,
  "admission-queue": () => admissionQueueStage,
  delivery: deliveryStage,
  "end-to-end": endToEndStage,
};

const INTERRUPTED = 130;
/** What starting, settling and checking may take in one load, in milliseconds. */
const PATIENCE = 45_000;

interface Run {
  readonly options: Options;
  readonly cores: Cores;
  readonly signal: AbortSignal;
}

/** Gives the exit code: 0 when all was measured and nothing that was accepted was lost. */
async function bench(options: Options, signal: AbortSignal): Promise<number> {
  ensureTools();
  const run = { options, cores: shareTwoCores(), signal };
  const all: Measured[] = [];
  let failures = 0;
  for (const stage of options.stages) {
    for (const planned of withOptions(PLANS[stage](options), options)) {
      try {
        all.push(
          await measurePlanned(
            stage,
            planned,
            all.map(({ result }) => result),
            run,
          ),
        );
      } catch (error) {
        if (signal.aborted) return INTERRUPTED;
        // One load that cannot be run doesn't take the others' figures away.
        failures += 1;
        tell(`${stage}: ${messagesOf(error)}`);
      }
    }
  }
  const results = all.map(({ result }) => result);
  process.stdout.write(options.json ? jsonOf(results) : tableOf(results));
  const lost = all.reduce((sum, measured) => sum + measured.lost, 0);
  if (lost > 0) tell(`LOST: ${lost} accepted wakeups did not arrive`);
  return failures + lost > 0 ? 1 : 0;
}

async function measurePlanned(
  stage: StageName,
  planned: Planned,
  earlier: readonly Result[],
  { options, cores, signal }: Run,
): Promise<Measured> {
  const load = loadOf(
    planned.load,
    earlier.filter((result) => result.stage === stage),
  );
  tell(`${stage}: ${textOf(load)} …`);
  const profiles = await mkdtemp(join(tmpdir(), "reveille-profiles-"));
  const names = new Map<number, string>();
  try {
    const measured = await measureOnce();
    if (options.profile) tell(await profilesOf(profiles, names, measured.span));
    return measured;
  } finally {
    await rm(profiles, { recursive: true, force: true });
  }

  async function measureOnce(): Promise<Measured> {
    await using room = await Bench.open(options.profile ? profileOptions(profiles) : []);
    const { seconds, warmUpSeconds } = options;
    const deadline = AbortSignal.timeout(1000 * (seconds + warmUpSeconds) + PATIENCE);
    const ended = AbortSignal.any([signal, deadline]);
    const measuring = async (): Promise<Measured> => {
      const trial = await planned.setUp(room);
      for (const { pid, name } of room.running) names.set(pid, name);
      return measure(trial, room, { load, seconds, warmUpSeconds, cores, signal: ended });
    };
    return await Promise.race([measuring(), aborted(ended)]);
  }
}

/** Never resolves; rejects with the signal's reason. */
async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error("given up", { cause: signal.reason }));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messagesOf(error.cause)}`;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

const parsed = parseOptions(process.argv.slice(2));
switch (parsed.kind) {
  case "help":
    process.stdout.write(HELP);
    break;
  case "wrong":
    tell(`${parsed.because}\n\n${HELP}`);
    process.exitCode = 2;
    break;
  case "run": {
    const stop = new AbortController();
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.once(name, () => stop.abort(new Error("interrupted")));
    }
    process.exitCode = await bench(parsed.options, stop.signal);
    break;
  }
}
