import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of the bench. Disposing asks it to stop, and kills it when it does not. */
export interface Running extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Rejects when the process ends on its own; never resolves. */
  readonly failed: Promise<never>;
}

export interface ProcessSettings {
  /** What the results call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes, as `<name>.log`. */
  readonly folder: string;
  /** Open a channel for messages to it (Node only). */
  readonly channel?: boolean;
}

const SETPRIV = "/usr/bin/setpriv";
const PATIENCE = 6_000;
const LINES_OF_LOG = 20;

const alive = new Set<ChildProcess>();

// SIGTERM, since nginx's master would otherwise leave its worker behind.
process.on("exit", () => {
  for (const child of alive) child.kill("SIGTERM");
});

/** Starts a process that does not outlive this one, not even when this one is killed. */
export function startProcess(settings: ProcessSettings): Running {
  const log = join(settings.folder, `${settings.name}.log`);
  const output = openSync(log, "a");
  const child = spawn(...boundToUs(settings), {
    stdio: ["ignore", output, output, ...(settings.channel === true ? (["ipc"] as const) : [])],
    serialization: "advanced",
  });
  alive.add(child);
  let stopping = false;
  const failed = new Promise<never>((_, reject) => {
    const end = (cause: unknown): void => {
      alive.delete(child);
      if (!stopping) reject(new Error(`${settings.name} ended too early${tailOf(log)}`, { cause }));
    };
    child.once("error", end);
    child.once("exit", (code, signal) => end(`${code ?? signal}`));
  });
  // Whoever measures races with it; nobody may be listening while the processes are being started.
  failed.catch(() => undefined);
  return {
    name: settings.name,
    pid: child.pid ?? 0,
    child,
    failed,
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      await stop(child);
    },
  };
}

// PR_SET_PDEATHSIG: the kernel ends the process when we die, also by SIGKILL.
function boundToUs({ command, args }: ProcessSettings): [string, string[]] {
  return existsSync(SETPRIV) ? [SETPRIV, ["--pdeathsig", "TERM", command, ...args]] : [command, [...args]];
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const late = new AbortController();
  const kill = async (): Promise<void> => {
    await sleep(PATIENCE, undefined, { signal: late.signal });
    child.kill("SIGKILL");
  };
  await Promise.race([exited, kill().catch(() => exited)]);
  late.abort();
  await exited;
}

function tailOf(log: string): string {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LINES_OF_LOG);
  return lines.join("") === "" ? "" : `; it wrote:\n  ${lines.join("\n  ")}`;
}
