import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 500;

/**
 * Resolves with the reason when somebody wants us to stop: Ctrl-C, SIGTERM, the end of the terminal, or the end of whoever
 * started us (npm may be killed without a word, and nobody would be left to stop the region).
 */
export async function stopAsked(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  const starters = whoStartedUs();
  const watch = setInterval(() => {
    if (whoStartedUs() !== starters) resolve("the end of its parent process");
  }, LOOK_EVERY_MS);
  watch.unref();
  return promise;
}

/** Our parent; and, if that is the shell in which npm runs a script, npm. */
function whoStartedUs(): string {
  const parent = process.ppid;
  if (process.env["npm_lifecycle_event"] === undefined) return `${parent}`;
  return `${parent} of ${parentOf(parent) ?? "nobody"}`;
}

function parentOf(pid: number): number | undefined {
  try {
    const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return parent === undefined ? undefined : Number(parent);
  } catch {
    // It has ended.
    return undefined;
  }
}
