import { networkTrouble } from "@reveille/wakeup";

import { networkCure, type Way } from "./network-cure.ts";

/** Redis, or one Sentinel, with the settings that a cure names. */
export interface RedisServer extends Way {
  readonly userSetting: string;
  readonly passwordSetting: string;
}

/** The cure for one fault between us and a Redis or a Sentinel; `undefined` for a fault that it does not know. */
export function redisCure(error: unknown, server: RedisServer): string | undefined {
  // The cause that lies deepest is what the server or the system says.
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return undefined;
  const [kind = ""] = /^[A-Z]+(?= )/.exec(deepest.message) ?? [];
  // A password file that does not exist is another fault.
  const isSocket = "syscall" in deepest && deepest.syscall === "connect";
  if (isSocket && "code" in deepest && deepest.code === "ENOENT") {
    return `start Redis, or correct the path of its socket: nothing listens at ${server.to}`;
  }
  return redisReplyCure(kind, server) ?? networkCure(networkTrouble(deepest), server);
}

/** The cure for the kind of error that a Redis or a Sentinel answers with, such as `NOAUTH`. */
export function redisReplyCure(kind: string, server: RedisServer): string | undefined {
  const { to, userSetting, passwordSetting } = server;
  switch (kind) {
    case "NOAUTH":
      return `name the file with the password by ${passwordSetting}: ${to} answers nobody without one`;
    case "WRONGPASS":
      return `correct the password in the file that ${passwordSetting} names, or ${userSetting}: ${to} knows no such user with this password`;
    case "NOPERM":
      return `allow the user of ${userSetting} what the roles need: compare redis-cli ACL LIST at ${to} with the rule in the documentation`;
    case "MISCONF":
      return `make room on the disk of Redis' data (df -h) and look into its log: ${to} refuses writes because it cannot save`;
    case "READONLY":
      return `name the primary, or Sentinels, which know where it is: ${to} is a replica, which takes no writes`;
    case "LOADING":
      return `wait until ${to} has read its data: redis-cli INFO persistence shows loading_eta_seconds`;
    case "MASTERDOWN":
      return `start the primary, or name it: ${to} is a replica without its primary`;
    case "OOM":
      return `raise maxmemory at ${to}, or find out with \`reveille queue status\` why wakeups pile up`;
    case "MOVED":
    case "CLUSTERDOWN":
    case "CROSSSLOT":
      return `use a Redis without cluster mode: ${to} keeps only a part of the keys`;
    default:
      return undefined;
  }
}
