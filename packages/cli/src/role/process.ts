import {
  type Config,
  createLogger,
  isJournal,
  type Logger,
  readSecret,
  recordLibraryLines,
  type Start,
  stopSignal,
  systemClock,
  tellSystemd,
} from "@reveille/runtime";
import { type PartHealth } from "@reveille/wakeup";

import { secretPath } from "../secrets/secret-path.ts";

/** The log of this process, on standard output. */
export function openLog(role: string, config: Pick<Config, "log" | "region" | "host">): Logger {
  const log = createLogger({
    level: config.log.level,
    base: { role, region: config.region, host: config.host, pid: process.pid },
    clock: systemClock,
    readable: process.stdout.isTTY,
    journal: isJournal(1),
  });
  recordLibraryLines(log);
  return log;
}

/** Aborts at the first SIGTERM or SIGINT; the process then has `drainWithin` to end by itself. */
export const stopOf = (config: Pick<Config, "drainWithin">, log: Logger): AbortSignal =>
  stopSignal(process, {
    drainWithin: config.drainWithin,
    onForced: (because) => log.error({ because }, "stopping without having drained"),
  });

/** The last part of a role: tells systemd how it fares, if systemd runs it. */
export const systemdPart = (parts: () => readonly PartHealth[], log: Logger): Start =>
  tellSystemd({
    environment: process.env,
    parts,
    clock: systemClock,
    onTrouble: (err) => log.warn({ err }, "systemd was not told how this role fares"),
  });

/** Reads a secret; warns if other users of the machine may read it too. */
export async function secretFrom(file: string, key: string, log: Logger): Promise<string> {
  const { text, readableByOthers } = await readSecret(secretPath(file), key);
  if (readableByOthers) log.warn({ file, key }, "secret file is readable by every user; chmod 600 mends it");
  return text;
}
