import { type Bench } from "../bench.ts";
import { accepting, freePort } from "../ports.ts";

/** A private Redis as production has it: append-only file, never evicting, over TCP. Gives its URL. */
export async function startRedis(
  bench: Bench,
  appendfsync: "everysec" | "always" = "everysec",
): Promise<string> {
  const port = await freePort();
  const durable = [
    "--appendonly",
    "yes",
    "--appendfsync",
    appendfsync,
    "--save",
    "",
    "--maxmemory-policy",
    "noeviction",
    "--hash-max-listpack-value",
    "8192",
  ];
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", bench.folder, ...durable];
  const redis = bench.process({ name: "redis", command: "redis-server", args });
  await Promise.race([accepting(port), redis.failed]);
  return `redis://127.0.0.1:${port}`;
}
