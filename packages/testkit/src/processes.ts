import { readdir, readFile } from "node:fs/promises";

/** Whether the process still runs. One that has ended but that nobody has waited for (a zombie) does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readProc(pid, "stat");
  if (stat === undefined) return false;
  // The name in parentheses may hold anything; the state follows the last parenthesis (proc(5)).
  const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  return state !== "Z" && state !== "X";
}

/** Processes of this machine whose command line contains `text`, except this one. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const commandLine = await readProc(pid, "cmdline");
    if (commandLine?.includes(text) === true && (await isRunning(pid))) found.push(pid);
  }
  return found;
}

async function readProc(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
