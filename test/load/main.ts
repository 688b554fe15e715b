import { shareTwoCores } from "./machine.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { loadOf, type Planned, withOptions } from "./plan.ts";
import { jsonOf, loadOf as textOf, tableOf } from "./report.ts";
import { type Result, type StageName } from "./result.ts";
import { runLoad } from "./run-load.ts";
import { admissionQueueStage } from "./stages/admission-queue.ts";
import { deliveryStage } from "./stages/delivery.ts";
import { endToEndStage, idleStage, lightLoadStage } from "./stages/end-to-end.ts";
import { frontStage } from "./stages/front.ts";
import { ingressStage } from "./stages/ingress.ts";
import { ensureTools } from "./tools.ts";

const PLANS: Record<StageName, (options: Options) => readonly Planned[]> = {
  ingress: () => ingressStage,
  front: () => frontStage,
  "admission-queue": admissionQueueStage,
  delivery: deliveryStage,
  "end-to-end": endToEndStage,
  "light-load": lightLoadStage,
  idle: idleStage,
};

const MISUSED = 2;
const INTERRUPTED = 130;

/** Gives the exit code: 0 when all was measured and nothing that was accepted was lost. */
async function bench(options: Options, signal: AbortSignal): Promise<number> {
  ensureTools();
  const cores = shareTwoCores();
  const results: Result[] = [];
  let faults = 0;
  for (const stage of options.stages) {
    const earlier: Result[] = [];
    for (const { load: planned, setUp } of withOptions(PLANS[stage](options), options)) {
      try {
        const load = loadOf(planned, earlier);
        tell(`${stage}: ${textOf(load)} …`);
        const { result, lost, profiles } = await runLoad({ load, setUp, options, cores, signal });
        earlier.push(result);
        results.push(result);
        if (lost > 0) tell(`${stage}: LOST ${lost} wakeups: accepted and never arrived, or never answered`);
        faults += lost;
        if (profiles !== "") tell(profiles);
      } catch (error) {
        if (signal.aborted) return INTERRUPTED;
        // One load that cannot be run doesn't take the others' figures away.
        faults += 1;
        tell(`${stage}: ${messagesOf(error)}`);
      }
    }
  }
  process.stdout.write(options.json ? jsonOf(results) : tableOf(results));
  return faults > 0 ? 1 : 0;
}

function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messagesOf(error.cause)}`;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  switch (parsed.kind) {
    case "help":
      process.stdout.write(HELP);
      return 0;
    case "wrong":
      tell(`${parsed.because}\n\n${HELP}`);
      return MISUSED;
    case "run": {
      const stop = new AbortController();
      for (const name of ["SIGINT", "SIGTERM"] as const) {
        process.once(name, () => stop.abort(new Error("interrupted")));
      }
      return bench(parsed.options, stop.signal);
    }
  }
}

process.exitCode = await main();
