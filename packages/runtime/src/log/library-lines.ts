import { format } from "node:util";

import { type Logger } from "./create-logger.ts";

/** The parts of a process by which libraries, and Node itself, write lines of their own. */
export interface NoisyProcess {
  readonly console: Pick<Console, "debug" | "info" | "log" | "warn" | "error">;
  readonly process: {
    readonly removeAllListeners: (name: "warning") => unknown;
    readonly on: (name: "warning" | "uncaughtExceptionMonitor", listener: (error: Error) => void) => unknown;
  };
}

const LEVELS = { debug: "debug", info: "info", log: "info", warn: "warn", error: "error" } as const;

/**
 * Makes records of what libraries print (ioredis: "Unhandled error event") and of Node's warnings and deprecations, which would
 * else be plain text between the records. An error that nobody catches is recorded, too, before Node ends the process.
 */
export function recordLibraryLines(log: Logger, from: NoisyProcess = { console, process }): void {
  for (const name of ["debug", "info", "log", "warn", "error"] as const) {
    from.console[name] = (...args: readonly unknown[]) =>
      log[LEVELS[name]]({ text: format(...args) }, "a library wrote a line");
  }
  // Node's own listener prints them.
  from.process.removeAllListeners("warning");
  from.process.on("warning", (err) => log.warn({ err }, "node warns"));
  from.process.on("uncaughtExceptionMonitor", (err) =>
    log.error({ err }, "the process ends by an error that nobody caught"),
  );
}
