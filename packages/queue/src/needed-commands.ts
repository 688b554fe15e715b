import { redisKeysOf, type Region } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/**
 * A rule for Redis' ACL that lets the roles of a region work, and do nothing else: no FLUSHALL, SHUTDOWN, DEBUG, no other keys.
 * docs: deploy/README.md, which a test holds to it. The last three may be missing: then nobody sees how Redis is, and its
 * append-only file keeps tokens for longer.
 */
export const aclRuleOf = (region: Region): string =>
  `~{${region}}* resetchannels -@all +@read +@write +@connection +@scripting +@transaction +time +wait -@dangerous +info +config|get +bgrewriteaof`;

/** Commands that are called by scripts or connections, each with arguments that say nothing. */
const PROBES: readonly (readonly [string, readonly string[]])[] = [
  ["GET", ["K"]],
  ["SET", ["K", ""]],
  ["MGET", ["K"]],
  ["DEL", ["K"]],
  ["UNLINK", ["K"]],
  ["EXISTS", ["K"]],
  ["PEXPIRE", ["K", "1"]],
  ["PTTL", ["K"]],
  ["INCR", ["K"]],
  ["HSET", ["K", "f", ""]],
  ["HMGET", ["K", "f"]],
  ["HGETALL", ["K"]],
  ["HDEL", ["K", "f"]],
  ["HINCRBY", ["K", "f", "1"]],
  ["LPUSH", ["K", ""]],
  ["RPUSH", ["K", ""]],
  ["LREM", ["K", "1", ""]],
  ["LRANGE", ["K", "0", "0"]],
  ["LINDEX", ["K", "0"]],
  ["RPOPLPUSH", ["K", "K"]],
  ["BLPOP", ["K", "1"]],
  ["SADD", ["K", ""]],
  ["SREM", ["K", ""]],
  ["SMEMBERS", ["K"]],
  ["ZADD", ["K", "0", ""]],
  ["ZREM", ["K", ""]],
  ["ZRANGE", ["K", "0", "0"]],
  ["ZPOPMIN", ["K"]],
  ["BZPOPMIN", ["K", "1"]],
  ["XADD", ["K", "*", "f", ""]],
  ["XTRIM", ["K", "MAXLEN", "1"]],
  ["EVAL", ["", "0"]],
  ["EVALSHA", ["", "0"]],
  ["TIME", []],
];

/**
 * Those that the user of this connection may not call, or not for the region's keys. Nothing is executed: Redis judges
 * each as it is queued in a transaction, which is discarded. Not for a replica, which refuses all that writes. Throws what
 * the connection throws.
 */
export async function forbiddenCommands(redis: Redis, region: Region): Promise<readonly string[]> {
  const key = `${redisKeysOf(region).queuePrefix}:probe`;
  const forbidden: string[] = [];
  const ask = async (command: string, args: readonly string[]): Promise<void> => {
    try {
      await redis.call(command, ...args);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
      // A Redis that is full, or cannot write, says so of each command that would write.
      if (error.message.startsWith("NOPERM")) forbidden.push(command);
    }
  };
  await ask("MULTI", []);
  if (forbidden.length > 0) return forbidden;
  try {
    for (const [command, args] of PROBES)
      await ask(
        command,
        args.map((arg) => (arg === "K" ? key : arg)),
      );
  } finally {
    await redis.call("DISCARD");
  }
  await ask("WAIT", ["0", "1"]);
  return forbidden;
}
