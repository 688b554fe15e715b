import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { isRunning } from "@reveille/testkit";

import { DATA_FOLDER } from "./workplace.ts";

const RUNS = join(DATA_FOLDER, "runs");
const KEPT = 4;

/** A folder for this run; those of the last few runs stay, so that their logs can still be read. */
export async function openRunFolder(): Promise<string> {
  await mkdir(RUNS, { recursive: true });
  const earlier = (await readdir(RUNS)).toSorted();
  for (const run of earlier.slice(0, -KEPT)) {
    const pid = Number(run.split("-").at(-1));
    if (!(await isRunning(pid))) await rm(join(RUNS, run), { recursive: true, force: true });
  }
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  return join(RUNS, `${stamp}-${process.pid}`);
}
