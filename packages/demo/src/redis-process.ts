import { ask, Program } from "@reveille/testkit";

/** Redis as a region needs it: every write on disk before it is answered, nothing evicted, small jobs packed. On a Unix socket only. */
export async function startRegionRedis(folder: string, socket: string, logFile: string): Promise<Program> {
  const settings = {
    port: "0",
    unixsocket: socket,
    dir: folder,
    appendonly: "yes",
    appendfsync: "always",
    "hash-max-listpack-value": "8192",
    save: "",
    maxmemory: "256mb",
    "maxmemory-policy": "noeviction",
  };
  return Program.start({
    name: "redis",
    command: "redis-server",
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    logFile,
    debianPackage: "redis-server",
    ready: async () => ask({ kind: "redis-ping", at: { path: socket } }),
  });
}
