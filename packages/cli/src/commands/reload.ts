import { askRole, type Config, listRoles, type RoleSocket, systemClock } from "@reveille/runtime";
import { type HostRole, seconds } from "@reveille/wakeup";

import { loadMachine } from "../role/load-config.ts";
import { moduleRules } from "../modules/module-settings.ts";
import { print } from "../terminal/print.ts";
import { parseReloadAnswer, reloadInWords, type RoleReload } from "./reload-answer.ts";
import { renewSecrets } from "../secrets/renew-secrets.ts";
import { reveilleUnits } from "../role/systemd-units.ts";
import { type OperatorOptions } from "../role/operator-options.ts";

export interface ReloadOptions extends OperatorOptions {
  readonly pid?: string;
}

/** Workers first, so that nobody accepts a wakeup for a module that no worker knows yet. */
const IN_ORDER: readonly HostRole[] = ["worker", "ingress", "front", "canary", "sidecar"];

/**
 * `reveille reload`. Throws a `ConfigError` before it asks anybody, if the file has mistakes, and an Error if there is
 * nobody to ask.
 */
export async function runReload(options: ReloadOptions): Promise<void> {
  const { config } = await loadMachine(options.config, moduleRules);
  const sockets = (await listRoles(config.runtimeDir)).filter(
    ({ pid }) => options.pid === undefined || String(pid) === options.pid,
  );
  if (sockets.length === 0) throw nobody(config, options);
  const { roles, isCut } = await reloadInOrder(sockets);
  const missed = options.pid === undefined ? await unitsBeyond(sockets) : [];
  const notes = [
    ...(isCut ? ["ingress: not asked, since a worker did not take the configuration over"] : []),
    ...missed.map(
      ({ name, pid }) => `${name}: not reached: its process ${pid} has no socket in ${config.runtimeDir}`,
    ),
  ];
  const answer = { roles, ...(missed.length === 0 ? {} : { notReached: missed.map(({ name }) => name) }) };
  print(answer, [...roles.map(reloadInWords), ...notes].join("\n"), options);
  if (missed.length > 0 || !roles.every(hasTaken)) process.exitCode = 1;
}

async function reloadInOrder(sockets: readonly RoleSocket[]) {
  const roles: RoleReload[] = [];
  let isCut = false;
  for (const role of IN_ORDER) {
    const own = sockets.filter((socket) => socket.role === role);
    if (role === "ingress" && own.length > 0) isCut = !roles.every(hasTaken);
    if (role !== "ingress" || !isCut) roles.push(...(await Promise.all(own.map(reloadOne))));
  }
  return { roles, isCut };
}

async function reloadOne(socket: RoleSocket): Promise<RoleReload> {
  const renewal = await renewSecrets(socket.pid);
  const question = { method: "POST", path: "/reload", within: seconds(10) } as const;
  const { role, pid, answer: raw } = await askRole(socket, question, systemClock);
  const answer = parseReloadAnswer(raw);
  const reload = { role, pid, answer };
  switch (renewal.kind) {
    case "same":
      return reload;
    case "stale":
      return { ...reload, stale: { files: renewal.files, because: renewal.because } };
    case "renewed":
      if (answer.kind === "refused") await renewal.drop();
      if (answer.kind === "reloaded") await renewal.keep();
      return { ...reload, renewed: renewal.files };
  }
}

const hasTaken = ({ answer, stale }: RoleReload): boolean =>
  answer.kind === "reloaded" && stale === undefined;

/** Units whose process is none of these. */
async function unitsBeyond(sockets: readonly RoleSocket[]) {
  const known = new Set(sockets.map(({ pid }) => pid));
  return (await reveilleUnits()).filter(({ pid }) => pid > 0 && !known.has(pid));
}

function nobody({ runtimeDir }: Pick<Config, "runtimeDir">, { pid }: ReloadOptions): Error {
  return new Error(
    pid === undefined
      ? `no role runs on this host: no socket of one is in ${runtimeDir} (runtimeDir)`
      : `process ${pid} has no socket in ${runtimeDir} (runtimeDir): it is no role, or has not started yet`,
  );
}
