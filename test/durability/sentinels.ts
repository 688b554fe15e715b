import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { freePort, Program, until } from "@reveille/testkit";

const NAME = "reveille-eu";
const START_MS = 30_000;

/** Redis as two hosts and a witness run it: a primary, a replica and three Sentinels, quorum 2. */
export interface Sentinels extends AsyncDisposable {
  readonly name: string;
  /** `host:port` of each Sentinel. */
  readonly sentinels: readonly string[];
  /** The primary at the start. */
  readonly primary: Program;
  /** What `redis-cli` prints. */
  readonly ask: (whom: "primary" | "replica" | "sentinel", ...command: readonly string[]) => Promise<string>;
}

/** Resolves when each Sentinel knows the replica and the other two. */
export async function startSentinels(): Promise<Sentinels> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-sentinels-"));
  starting.defer(async () => rm(folder, { recursive: true, force: true }));
  const [primaryPort, replicaPort] = [await freePort(), await freePort()];
  const sentinelPorts = [await freePort(), await freePort(), await freePort()];

  const start = async (name: string, port: number, args: readonly string[]): Promise<Program> => {
    const own = join(folder, name);
    await mkdir(own);
    const program = await Program.start({
      name,
      command: "redis-server",
      args: [...args, "--port", `${port}`, "--bind", "127.0.0.1", "--dir", own],
      folder: own,
      debianPackage: "redis-server",
    });
    // SIGKILL, since one that is frozen doesn't hear a SIGTERM.
    starting.defer(async () => program.kill());
    await until(async () => ((await cli(port, "PING").catch(() => "")) === "PONG" ? true : undefined), {
      what: `an answer of ${name}`,
      withinMs: START_MS,
    });
    return program;
  };
  const durable = ["--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0"];
  const primary = await start("primary", primaryPort, durable);
  await start("replica", replicaPort, [...durable, "--replicaof", "127.0.0.1", `${primaryPort}`]);
  for (const [index, port] of sentinelPorts.entries()) {
    const file = join(folder, `sentinel-${index + 1}.conf`);
    await writeFile(file, sentinelConfig(primaryPort));
    await start(`sentinel-${index + 1}`, port, [file, "--sentinel"]);
  }
  for (const port of sentinelPorts) {
    await until(async () => ((await knows(port)) === "1 2" ? true : undefined), {
      what: "a Sentinel that knows all",
      withinMs: START_MS,
    });
  }
  const ports = { primary: primaryPort, replica: replicaPort, sentinel: sentinelPorts[0] ?? 0 };
  const parts = starting.move();
  return {
    name: NAME,
    sentinels: sentinelPorts.map((port) => `127.0.0.1:${port}`),
    primary,
    ask: async (whom, ...command) => cli(ports[whom], ...command),
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  };
}

const sentinelConfig = (primaryPort: number): string => `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2
sentinel down-after-milliseconds ${NAME} 2000
sentinel failover-timeout ${NAME} 10000
sentinel parallel-syncs ${NAME} 1
`;

/** How many replicas and other Sentinels that one knows. */
async function knows(port: number): Promise<string> {
  const fields = (await cli(port, "SENTINEL", "MASTER", NAME)).split("\n");
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? "";
  return `${field("num-slaves")} ${field("num-other-sentinels")}`;
}

async function cli(port: number, ...command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("redis-cli", ["-p", `${port}`, ...command], {
    timeout: 5_000,
  });
  return stdout.trim();
}
