const LOOK_EVERY_MS = 500;

/**
 * Resolves with the reason when somebody wants us to stop: Ctrl-C, SIGTERM, the end of the terminal, or the end of whoever
 * started us (npm and its shell may die without passing a signal on, and nobody would be left to stop the region).
 */
export async function stopAsked(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) resolve("end of the parent process");
  }, LOOK_EVERY_MS);
  watch.unref();
  return promise;
}
