import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** The cores everything shares, by number. */
export type Cores = readonly number[];

const WANTED = 2;

/**
 * Binds this process, and so all it starts, to two cores; on a smaller machine, or one that is already bound
 * to so few, to what there is. The figures are for two cores, wherever they are measured.
 */
export function shareTwoCores(): Cores {
  const cores = coresOf(readFileSync("/proc/self/status", "utf8"));
  if (cores.length <= WANTED) return cores;
  const two = cores.slice(0, WANTED);
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", two.join(","), `${process.pid}`]);
  return two;
}

/** The cores a process may run on, of `/proc/<pid>/status` (`Cpus_allowed_list: 0-1,4`). */
export function coresOf(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

/** What a reader must know of the machine to compare figures. */
export function describeMachine(): { readonly processor: string; readonly node: string } {
  return { processor: cpus()[0]?.model ?? "unknown", node: process.version };
}
