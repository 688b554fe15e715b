import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs promtool (Debian's `prometheus`). Throws with what it printed if it is not content. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("promtool", args);
  return stdout;
}

/** What promtool has to say against metrics as a scrape brings them; "" if nothing. */
export async function lintOf(metrics: string): Promise<string> {
  return new Promise((resolve) => {
    const linter = execFile("promtool", ["check", "metrics"], (error, stdout, stderr) =>
      resolve(stdout + stderr + (error === null ? "" : error.message)),
    );
    linter.stdin?.end(metrics);
  });
}
