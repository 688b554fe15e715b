import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Redis } from "ioredis";

import { ask } from "./ask.ts";
import { Program } from "./program.ts";

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

  return {
    path,
    folder,
    get pid() {
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
    signal: (signal) => server.signal(signal),
    restart: async () => {
      await server.kill();
      server = await launch(folder, path, args);
    },
    kill: async () => server.kill(),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.disconnect();
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, path: string, args: readonly string[]): Promise<Program> {
  const options = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", "", ...args];
  return Program.start({
    name: "redis-server",
    command: "redis-server",
    args: options,
    debianPackage: "redis-server",
    ready: async () => ask({ kind: "redis-ping", at: { path } }),
  });
}
