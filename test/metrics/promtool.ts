import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs promtool (Debian's `prometheus`). Throws with what it printed if it is not content. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("promtool", args);
  return stdout;
}
