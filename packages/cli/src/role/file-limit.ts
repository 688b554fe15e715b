import { readFileSync } from "node:fs";

/** Node itself opens 25; a worker with Sentinels and the connections of some modules about 60 more. */
const LEAST = 128;

/** Why this process cannot work for want of open files, and the cure; `undefined` if it can, or the kernel does not say. */
export function fileLimitTrouble(): string | undefined {
  const most = mostOpenFiles();
  if (most >= LEAST) return undefined;
  return `this process may open ${most} files and needs ${LEAST}, or connections and reads fail; set LimitNOFILE=65536 in the unit, or run ulimit -n 65536`;
}

/** Node has raised the soft limit to the hard one by now. */
function mostOpenFiles(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
