import {
  type Config,
  createLogger,
  type Logger,
  readSecret,
  stopSignal,
  systemClock,
} from "@reveille/runtime";

/** The log of this process, on standard output. */
export const openLog = (role: string, config: Config): Logger =>
  createLogger({
    level: config.log.level,
    base: { role, region: config.region, host: config.host, pid: process.pid },
    clock: systemClock,
    readable: process.stdout.isTTY,
  });

/** Aborts at the first SIGTERM or SIGINT; the process then has `drainWithin` to end by itself. */
export const stopOf = (config: Config, log: Logger): AbortSignal =>
  stopSignal(process, {
    drainWithin: config.drainWithin,
    onForced: (because) => log.error({ because }, "stopping without having drained"),
  });

/** Reads a secret; warns if other users of the machine may read it too. */
export async function secretFrom(file: string, key: string, log: Logger): Promise<string> {
  const { text, readableByOthers } = await readSecret(file, key);
  if (readableByOthers) log.warn({ file, key }, "secret file is readable by every user; chmod 600 mends it");
  return text;
}
