import {
  type CanaryFile,
  createMetrics,
  logEvents,
  type Logger,
  type Machine,
  runUntil,
  serveReport,
  type Start,
  systemClock,
} from "@reveille/runtime";
import { type CanaryEvent, type Observe, type PartHealth } from "@reveille/wakeup";

import { type Watchable, watchableOf } from "../canary/delivery.ts";
import { roundInWords } from "../canary/in-words.ts";
import { canaryPlanOf } from "../canary/plan.ts";
import { runRound } from "../canary/round.ts";
import { startCanary } from "../canary/start-canary.ts";
import { loadCanaryFile } from "../role/load-config.ts";
import { print } from "../terminal/print.ts";
import { openLog, stopOf, systemdPart } from "../role/process.ts";
import { commandLog } from "../role/region.ts";
import { answeringReloads, COMMON_SECTIONS } from "../role/start-only.ts";
import { VERSION } from "../role/version.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

export interface CanaryOptions extends OperatorOptions {
  /** One round with its verdict, in place of a role that goes on. */
  readonly once: boolean;
}

/** `reveille canary`: one round for people and cron, or a role that goes on until SIGTERM. */
export async function runCanary(options: CanaryOptions): Promise<void> {
  const file = await loadCanaryFile(options.config);
  if (options.once) return runOnce(file, options);
  if (options.json) throw new UsageError("--json prints the verdict of one round: add --once");
  await runRole(file, options.config);
}

async function runOnce(file: CanaryFile, options: CanaryOptions): Promise<void> {
  const { round } = await workOf(file, commandLog("warn"));
  const events = await round(new AbortController().signal);
  const ok = events.every((event) => event.ok);
  print({ ok, hostnames: events.map(answerOf) }, roundInWords(events), options);
  if (!ok) process.exitCode = 1;
}

const answerOf = ({ kind: _kind, replyTook, deliveryTook, ...facts }: CanaryEvent) => ({
  ...facts,
  ...(replyTook === undefined ? {} : { replyMs: replyTook }),
  ...(deliveryTook === undefined ? {} : { deliveryMs: deliveryTook }),
});

interface Work {
  readonly round: (signal: AbortSignal) => Promise<readonly CanaryEvent[]>;
  readonly watchable: Watchable | undefined;
}

async function workOf(file: CanaryFile, log: Logger): Promise<Work> {
  const clock = systemClock;
  const plan = await canaryPlanOf(file, log);
  const watchable = watchableOf(file, plan, { clock, log });
  return { watchable, round: (signal) => runRound(plan, { clock, watchable, signal }) };
}

async function runRole(file: CanaryFile, path: string): Promise<void> {
  const startedAt = systemClock.now();
  const log = openLog("canary", file);
  const metrics = createMetrics({ role: "canary", version: VERSION, modules: [], clock: systemClock });
  const tellLog = logEvents({ logger: log, clock: systemClock });
  const observe: Observe = (event) => {
    metrics.observe(event);
    tellLog(event);
  };
  const load = async (): Promise<Machine> => ({ kind: "outside", config: await loadCanaryFile(path) });
  const reload = await answeringReloads({ kind: "outside", config: file }, load, [
    ...COMMON_SECTIONS,
    "canary",
    "redis",
    "modules",
  ]);
  let parts: () => readonly PartHealth[] = () => [{ part: "canary", health: { kind: "starting" } }];
  const report: Start = async () =>
    serveReport({
      runtimeDir: file.runtimeDir,
      role: "canary",
      version: VERSION,
      startedAt,
      parts: () => parts(),
      metrics: metrics.families,
      reload,
    });
  const rounds: Start = async ({ fail }) => {
    const { round, watchable } = await workOf(file, log);
    const canary = startCanary({ round, every: file.canary.every, clock: systemClock, observe, fail });
    parts = canary.health;
    log.info({ hostnames: file.canary.hostnames, seesDeliveriesOf: watchable?.hostname }, "role started");
    return canary;
  };
  // A SIGHUP that nobody listens to ends a process.
  process.on("SIGHUP", () => log.info(NO_RELOAD));
  await runUntil(stopOf(file, log), [report, rounds, systemdPart(() => parts(), log)]);
  log.info("role stopped");
}

const NO_RELOAD = "a canary reads its configuration at a start only";
