import { readdir, readFile } from "node:fs/promises";

/** USER_HZ: the unit of times in /proc, 100 a second on every architecture that Node runs on. */
const MICROS_PER_TICK = 10_000;

/**
 * CPU time used so far by a process, the children it has now and those it had, in microseconds; user and
 * system. Steps of 10 ms (see proc(5), `/proc/pid/stat`). Throws when there is no such process.
 */
export async function processorTimeOf(pid: number): Promise<number> {
  const own = ticksOfStat(await readFile(`/proc/${pid}/stat`, "utf8")) * MICROS_PER_TICK;
  const children = await childrenOf(pid);
  const theirs = await Promise.all(children.map(async (child) => processorTimeOf(child)));
  return theirs.reduce((sum, time) => sum + time, own);
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = threads.map(async (thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8"));
  return (await Promise.all(lists)).join(" ").split(/\s+/).filter(Boolean).map(Number);
}

/** utime + stime + cutime + cstime of a line of `/proc/pid/stat`. The name before them may hold anything. */
export function ticksOfStat(line: string): number {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

/** CPU time that all processes of the machine used so far on the given cores, in microseconds. */
export async function busyTimeOf(cores: readonly number[]): Promise<number> {
  return busyTicks(await readFile("/proc/stat", "utf8"), cores) * MICROS_PER_TICK;
}

/** Everything but `idle` and `iowait` in the lines `cpu<N>` of `/proc/stat`; what a hypervisor stole counts. */
export function busyTicks(stat: string, cores: readonly number[]): number {
  let busy = 0;
  for (const line of stat.split("\n")) {
    const [name, ...ticks] = line.split(/\s+/);
    if (name === undefined || !cores.some((core) => name === `cpu${core}`)) continue;
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
    busy += user + nice + system + irq + softirq + steal;
  }
  return busy;
}

/** System calls by which a process wrote so far (`syscw` of proc(5)); its children's not included. */
export async function writesOf(pid: number): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, "utf8");
  return Number(/^syscw: (\d+)$/m.exec(io)?.[1] ?? 0);
}

/** Most memory a process ever had resident, in MiB (`VmHWM` of proc(5)); its children's not included. */
export async function peakMemoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}
