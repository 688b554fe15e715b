import { type AskedRole, askRoles, type Config, systemClock } from "@reveille/runtime";
import { seconds } from "@reveille/wakeup";

import { type OperatorOptions } from "../command-line/operator-options.ts";
import { loadConfig } from "../load-config.ts";
import { moduleRules } from "../module-settings.ts";
import { print } from "../print.ts";
import { parseReloadAnswer, type RoleReload } from "../reload-answer.ts";

/**
 * `reveille reload`: workers first, so that nobody accepts a wakeup for a module that no worker knows yet. Throws a
 * `ConfigError` before it asks anybody, if the file has mistakes.
 */
export async function runReload(options: OperatorOptions): Promise<void> {
  const config = await loadConfig(options.config, moduleRules);
  const workers = (await ask("worker", config)).map(reloadOf);
  const isTaken = workers.every(({ answer }) => answer.kind === "reloaded");
  const roles = isTaken ? [...workers, ...(await ask("ingress", config)).map(reloadOf)] : workers;
  if (roles.length === 0) {
    throw new Error(`no role runs on this host: no socket of one is in ${config.runtimeDir} (runtimeDir)`);
  }
  const note = isTaken ? [] : ["ingress: not asked, since a worker did not take the configuration over"];
  print({ roles }, [...roles.map(describe), ...note].join("\n"), options);
  if (roles.some(({ answer }) => answer.kind !== "reloaded")) process.exitCode = 1;
}

const ask = (only: "worker" | "ingress", { runtimeDir }: Config): Promise<readonly AskedRole[]> =>
  askRoles(runtimeDir, { method: "POST", path: "/reload", only, within: seconds(10) }, systemClock);

const reloadOf = ({ role, pid, answer }: AskedRole): RoleReload => ({
  role,
  pid,
  answer: parseReloadAnswer(answer),
});

function describe({ role, pid, answer }: RoleReload): string {
  const who = `${role} ${pid}`;
  switch (answer.kind) {
    case "refused":
      return `${who}: refused, nothing has changed\n  ${answer.because.replaceAll("\n", "\n  ")}`;
    case "silent":
      return `${who}: no answer: ${answer.because}`;
    case "reloaded": {
      const { applied, forRestart } = answer;
      if (applied.length + forRestart.length === 0) return `${who}: nothing differs; credentials read again`;
      const lines = [
        ...applied.map((change) => `  applied           ${lineOf(change)}`),
        ...forRestart.map((change) => `  needs a restart   ${lineOf(change)}`),
      ];
      return [`${who}: reloaded`, ...lines].join("\n");
    }
  }
}

function lineOf({
  key,
  before,
  after,
}: {
  readonly key: string;
  readonly before?: unknown;
  readonly after?: unknown;
}): string {
  if (before === undefined) return `${key}: ${JSON.stringify(after)} (new)`;
  if (after === undefined) return `${key}: gone, was ${JSON.stringify(before)}`;
  return `${key}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
