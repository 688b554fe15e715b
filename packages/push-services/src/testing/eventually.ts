import { vi } from "vitest";

/** Waits until `check` no longer throws; patient, since tests share the machine. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 15_000, interval: 10 });
