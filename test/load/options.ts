import { parseArgs } from "node:util";

import { STAGES, type StageName } from "./result.ts";

export type Appendfsync = "everysec" | "always";

export interface Options {
  readonly stages: readonly StageName[];
  readonly json: boolean;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** In place of the rates a stage has by itself. */
  readonly rate?: number;
  /** In place of what a stage keeps in flight at saturation by itself. */
  readonly inFlight?: number;
  /** So many devices are known and so many wakeups queued before the load of `admission-queue`. */
  readonly filled: number;
  /** When Redis syncs its append-only file, in place of how a stage has it. */
  readonly appendfsync?: Appendfsync;
  readonly workers: number;
  readonly apns: "nginx" | "simulator";
  /** Show where the CPU of each process went. The measured costs are then too high. */
  readonly profile: boolean;
}

export type Parsed =
  | { readonly kind: "run"; readonly options: Options }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly because: string };

const SECONDS = { least: 1, most: 30 };

export const HELP = `usage: pnpm bench [stage …] [options]

CPU per wakeup, wakeups per second and latencies of each stage, measured on two cores that everything shares.
Stages: ${STAGES.join(", ")}; without any, all of them.

  --json            one JSON array instead of the table; the exit code is 1 if anything was lost or could not be run
  --seconds N       measured time of each load, ${SECONDS.least} to ${SECONDS.most} (5)
  --warm-up N       time under load before that, not counted (3)
  --rate N          wakeups per second of the open loop, in place of the stage's own rates
  --in-flight N     wakeups in flight at saturation, in place of the stage's own number
  --filled N        devices known and wakeups queued before the admission-queue stage is loaded (0)
  --appendfsync P   when Redis syncs its file, in the stages that have one: everysec or always
                    (everysec; light-load: both)
  --workers N       workers of the stages with real roles (1)
  --apns NAME       the far end: nginx or simulator (nginx)
  --profile         also show where the CPU of each process went; the costs are then too high
`;

/** Never throws; says what is wrong with the arguments in one sentence. */
export function parseOptions(args: readonly string[]): Parsed {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
    if (values.help) return { kind: "help" };
    return { kind: "run", options: optionsOf(values, positionals) };
  } catch (error) {
    // What parseArgs and the readers below throw is meant for the person who typed.
    return { kind: "wrong", because: error instanceof Error ? error.message : String(error) };
  }
}

const OPTIONS = {
  json: { type: "boolean", default: false },
  seconds: { type: "string", default: "5" },
  "warm-up": { type: "string", default: "3" },
  rate: { type: "string" },
  "in-flight": { type: "string" },
  filled: { type: "string", default: "0" },
  appendfsync: { type: "string" },
  workers: { type: "string", default: "1" },
  apns: { type: "string", default: "nginx" },
  profile: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

function optionsOf(values: Values, names: readonly string[]): Options {
  const wanted = names.map(stageOf);
  const { apns, appendfsync } = values;
  if (apns !== "nginx" && apns !== "simulator")
    throw new Error(`--apns takes nginx or simulator, not ${apns}`);
  if (appendfsync !== undefined && appendfsync !== "everysec" && appendfsync !== "always") {
    throw new Error(`--appendfsync takes everysec or always, not ${appendfsync}`);
  }
  return {
    stages: STAGES.filter((stage) => wanted.length === 0 || wanted.includes(stage)),
    json: values.json,
    seconds: numberOf("--seconds", values.seconds, SECONDS),
    warmUpSeconds: numberOf("--warm-up", values["warm-up"], { least: 0, most: 30 }),
    ...(values.rate === undefined ? {} : { rate: numberOf("--rate", values.rate, { least: 1, most: 1e6 }) }),
    ...(values["in-flight"] === undefined
      ? {}
      : { inFlight: numberOf("--in-flight", values["in-flight"], { least: 1, most: 1e5 }) }),
    filled: numberOf("--filled", values.filled, { least: 0, most: 1e7 }),
    ...(appendfsync === undefined ? {} : { appendfsync }),
    workers: numberOf("--workers", values.workers, { least: 1, most: 16 }),
    apns,
    profile: values.profile,
  };
}

function stageOf(name: string): StageName {
  const stage = STAGES.find((known) => known === name);
  if (stage === undefined) throw new Error(`no stage is called ${name}; there are ${STAGES.join(", ")}`);
  return stage;
}

function numberOf(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text);
  if (text !== "" && value >= least && value <= most) return value;
  throw new Error(`${name} takes a number from ${least} to ${most}, not ${text === "" ? "nothing" : text}`);
}
