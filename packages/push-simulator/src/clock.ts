/**
 * Time of the simulated Apple: ages of provider tokens, latencies, throttles, expirations. Methods, not
 * properties, so that a clock with narrower (branded) parameter types fits too.
 */
export interface SimulatorClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms` milliseconds; never rejects. */
  sleep(ms: number): Promise<void>;
}

/** The machine's time. A sleeper does not keep the process alive. */
export const systemClock: SimulatorClock = {
  now: () => Date.now(),
  sleep: async (ms) => {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, ms).unref();
    });
  },
};

/** Dates of a certificate follow the machine's time, since that is what clients check them against. */
export const daysFromNow = (days: number): Date => new Date(Date.now() + days * 86_400_000);
