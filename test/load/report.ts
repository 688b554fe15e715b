import { type Load } from "./load-loop.ts";
import { type Conditions, type Result } from "./result.ts";

const HEAD = ["stage", "load", "wakeups/s", "CPU µs/wakeup", "p50 ms", "p99 ms", "latency of", "counted"];
/** So much of a core taken by others, and the figures say more about them. */
const DISTURBING = 0.1;
/** This share of the wanted rate must come through. */
const SUSTAINED = 0.98;
const NUMBERS = new Set([2, 3, 4, 5]);

/** For programs: the array of all results, numbers rounded to what was measured. */
export const jsonOf = (results: readonly Result[]): string => `${JSON.stringify(results, rounded, 2)}\n`;

/** For people: a table, below it who used the cores in each run. */
export function tableOf(results: readonly Result[]): string {
  const rows = [HEAD, ...results.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        NUMBERS.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  const [head = "", ...body] = lines;
  return `${[head, "-".repeat(head.length), ...body].join("\n")}\n\n${results.map(usageOf).join("\n")}\n`;
}

function rowOf(result: Result): string[] {
  const { stage, conditions } = result;
  return [
    stage,
    [loadOf(conditions), ...settingOf(conditions)].join(", "),
    result.wakeupsPerSecond.toFixed(0),
    result.cpuMicrosPerWakeup.toFixed(1),
    result.p50Ms.toFixed(2),
    result.p99Ms.toFixed(2),
    conditions.latency,
    conditions.counted.join(" + "),
  ];
}

function usageOf({
  stage,
  wakeupsPerSecond,
  conditions,
  cpuMicrosByProcess,
  writesByProcess,
  peakMemoryMiB,
  details,
}: Result): string {
  const unit = conditions.mode === "idle" ? "s" : "wakeup";
  const processes = Object.entries(cpuMicrosByProcess).map(
    ([name, micros]) => `${name} ${micros.toFixed(1)}`,
  );
  const writes = Object.entries(writesByProcess).map(([name, count]) => `${name} ${count.toFixed(2)}`);
  const { cores, coresBusy, coresBusyByOthers } = conditions;
  const advice = coresBusyByOthers > DISTURBING ? ": disturbed, take it again" : "";
  const share = `${coresBusy.toFixed(2)} of ${cores} cores busy, ${coresBusyByOthers.toFixed(2)} by others${advice}`;
  const more = Object.entries(details).map(([name, value]) => `${name} ${round(value)}`);
  const memory = Object.entries(peakMemoryMiB).map(([name, peak]) => `${name} ${peak.toFixed(0)}`);
  const lines = [
    `µs/${unit}: ${processes.join(" · ")}`,
    `writes/${unit}: ${writes.join(" · ")}`,
    share,
    `peak MiB: ${memory.join(" · ")}`,
    ...slowness(conditions, wakeupsPerSecond),
    ...(more.length > 0 ? [more.join(" · ")] : []),
  ];
  return `${stage}, ${loadOf(conditions)}\n  ${lines.join("\n  ")}`;
}

/** An open loop that was overtaken measured how long its own queue is. */
const slowness = (load: Load, wakeupsPerSecond: number): string[] =>
  load.mode === "rate" && wakeupsPerSecond < SUSTAINED * load.rate
    ? [`only ${wakeupsPerSecond.toFixed(0)} of ${load.rate}/s: the rate was not sustained`]
    : [];

const settingOf = ({ setting }: Conditions): string[] =>
  Object.entries(setting).map(([name, value]) => `${name} ${value}`);

export function loadOf(load: Load): string {
  switch (load.mode) {
    case "saturation":
      return `saturation, ${load.inFlight} in flight`;
    case "rate":
      return `${load.rate}/s`;
    case "idle":
      return "no load";
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;
const rounded = (_: string, value: unknown): unknown => (typeof value === "number" ? round(value) : value);
