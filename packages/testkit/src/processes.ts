import { readdir, readFile } from "node:fs/promises";

/** Whether the process still runs. One that has ended but that nobody has waited for (a zombie) does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readProc(pid, "stat");
  if (stat === undefined) return false;
  // The name in parentheses may hold anything; the state follows the last parenthesis (proc(5)).
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return state !== "Z" && state !== "X";
}

export interface FoundProcess {
  readonly pid: number;
  /** Name of the program, e.g. `dnsmasq`. */
  readonly command: string;
}

/** Processes whose environment has `variable` (`NAME=value`), given by whoever started them; not this process itself. */
export async function processesInheriting(variable: string): Promise<readonly FoundProcess[]> {
  const found: FoundProcess[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = (await readProc(pid, "environ"))?.split("\0");
    if (environment?.includes(variable) !== true || !(await isRunning(pid))) continue;
    found.push({ pid, command: (await readProc(pid, "comm"))?.trim() ?? "" });
  }
  return found;
}

async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has ended meanwhile, or belongs to somebody else.
    return undefined;
  }
}
