import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

import { Counter, Gauge, type Registry } from "prom-client";

import { inSeconds } from "./instruments.ts";

/**
 * CPU, memory, event loop and files of this process, under the usual names. Not prom-client's own set: most of
 * it means nothing once several processes are summed, and its event loop delay is a maximum since the last
 * reading, which the sidecar's polls would keep short.
 */
export function resourceMetrics(registry: Registry, role: string): void {
  const total = (name: string, help: string, read: () => number): Counter<"role"> =>
    new Counter({
      name,
      help,
      labelNames: ["role"],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ role }, read());
      },
    });
  const level = (name: string, help: string, read: () => number): Gauge<"role"> =>
    new Gauge({
      name,
      help,
      labelNames: ["role"],
      registers: [registry],
      aggregator: "sum",
      collect() {
        this.set({ role }, read());
      },
    });

  total("process_cpu_seconds_total", "CPU time of the processes of a role, user and system.", cpuSeconds);
  total(
    "nodejs_eventloop_active_seconds_total",
    "Time in which event loops were busy; a rate near the number of processes means that they are saturated.",
    () => inSeconds(performance.eventLoopUtilization().active),
  );
  level("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  level("nodejs_heap_size_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
  level("process_open_fds", "Open file descriptors.", openFiles);
  const most = mostFiles();
  level("process_max_fds", "Limit of open file descriptors.", () => most);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** Linux; the descriptor that lists the folder is not counted. */
const openFiles = (): number => readdirSync("/proc/self/fd").length - 1;

/** The soft limit does not change while a process runs. */
function mostFiles(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(soft);
}
