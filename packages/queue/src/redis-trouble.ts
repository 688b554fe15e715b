import { failureReason, type Observe } from "@reveille/wakeup";
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
  redis.on("error", (error) => trouble(failureReason(error)));
  redis.on("reconnecting", () => trouble("connection lost"));
  redis.on("ready", () => {
    if (!troubled) return;
    troubled = false;
    observe({ kind: "redis-recovered", connection });
  });
}
