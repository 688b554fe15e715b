import { type Millis } from "@reveille/wakeup";

/** The part of Node's `process` that stopping needs. */
export interface StoppableProcess {
  readonly on: (signal: NodeJS.Signals, listener: () => void) => unknown;
  readonly exit: (code: number) => unknown;
}

export interface StopOptions {
  /** How long draining may take; then the process ends with code 1. */
  readonly drainWithin: Millis;
  /** Told why, just before the process ends without having drained. */
  readonly onForced: (because: "drain deadline passed" | "second signal") => void;
}

/**
 * Two-phase stop: the first SIGTERM or SIGINT aborts the signal returned here (drain); a second one, or the
 * drain deadline, ends the process with code 1.
 */
export function stopSignal(process: StoppableProcess, options: StopOptions): AbortSignal {
  const stop = new AbortController();
  const force = (because: "drain deadline passed" | "second signal"): void => {
    options.onForced(because);
    process.exit(1);
  };
  const hear = (): void => {
    if (stop.signal.aborted) {
      force("second signal");
      return;
    }
    // Not the Clock: this deadline must hold even if whatever drives the clock is what hangs. It does not
    // keep a drained process alive.
    setTimeout(() => force("drain deadline passed"), options.drainWithin).unref();
    stop.abort();
  };
  process.on("SIGTERM", hear);
  process.on("SIGINT", hear);
  return stop.signal;
}
