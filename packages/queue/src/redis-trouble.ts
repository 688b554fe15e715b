import { type Observe } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** Tells when a connection is lost and when it is back, once each. */
export function tellTrouble(
  redis: Redis,
  { connection, observe }: { readonly connection: string; readonly observe: Observe },
): void {
  let troubled = false;
  const trouble = (because: string): void => {
    if (troubled) return;
    troubled = true;
    observe({ kind: "redis-trouble", connection, because });
  };
  redis.on("error", (error) => trouble(error.message));
  redis.on("reconnecting", () => trouble("connection lost"));
  redis.on("ready", () => {
    if (!troubled) return;
    troubled = false;
    observe({ kind: "redis-recovered", connection });
  });
}

/**
 * True if Redis answers but refuses to write or to serve: full, without its replicas, read-only after a failover,
 * loading its data, or unable to save. Nothing can be taken from the queue then, and trying again at once would spin.
 */
export const isRefusal = (error: Error): boolean =>
  /^(?:OOM|NOREPLICAS|READONLY|LOADING|MASTERDOWN|MISCONF)\b/.test(error.message) ||
  // A script wraps the error of the command it called.
  /\b(?:OOM command not allowed|NOREPLICAS|-READONLY|-LOADING|-MASTERDOWN|-MISCONF)\b/.test(error.message);
