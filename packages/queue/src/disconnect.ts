import { type Redis } from "ioredis";

/**
 * Closes a connection that is tried once. ioredis 6.0.0 (connectors/AbstractConnector) would wait 2 s for the end of one that has
 * ended already, and the process with it.
 */
export function disconnect(redis: Redis): void {
  if (redis.status !== "end") redis.disconnect();
}
