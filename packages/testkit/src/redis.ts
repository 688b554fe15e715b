import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Redis } from "ioredis";

/** A private redis-server on a Unix socket, in a folder of its own. */
export interface TestRedis extends AsyncDisposable {
  /** Path of the Unix socket. */
  readonly path: string;
  /** Folder of the AOF and dump; the same after `restart`. */
  readonly folder: string;
  readonly pid: number;
  /** A connected client; closed with the server. */
  readonly connect: () => Promise<Redis>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Kills the server (SIGKILL) if it still runs, and starts it again on the same data. */
  readonly restart: () => Promise<void>;
  readonly kill: () => Promise<void>;
}

/** `args` go to redis-server, e.g. `["--appendonly", "yes"]`. Needs Debian's `redis-server`. */
export async function startRedis(args: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "reveille-redis-"));
  const path = join(folder, "redis.sock");
  const clients: Redis[] = [];
  let server = await launch(folder, path, args);

  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
  };

  return {
    path,
    folder,
    get pid() {
      if (server.pid === undefined) throw new Error("redis-server has no process id");
      return server.pid;
    },
    connect: async () => {
      const client = new Redis({ path, lazyConnect: true });
      // A test that kills its server expects the errors of its clients.
      client.on("error", () => undefined);
      clients.push(client);
      await client.connect();
      return client;
    },
    signal: (signal) => void server.kill(signal),
    restart: async () => {
      await kill();
      server = await launch(folder, path, args);
    },
    kill,
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, path: string, args: readonly string[]): Promise<ChildProcess> {
  const options = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", "", ...args];
  const server = spawn("redis-server", options, { stdio: ["ignore", "pipe", "pipe"] });
  await new Promise<void>((resolve, reject) => {
    let output = "";
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes("Ready to accept connections")) resolve();
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.once("error", (cause) =>
      reject(
        new Error("cannot start redis-server; is the Debian package redis-server installed?", { cause }),
      ),
    );
    server.once("exit", () => reject(new Error(`redis-server ended at its start: ${output}`)));
  });
  return server;
}
