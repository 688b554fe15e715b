import { type Clock, millis } from "@reveille/wakeup";
import { type Redis } from "ioredis";

const PAUSE = millis(200);

/**
 * Connects again whenever the client has given up though nobody closed it. ioredis does so for good (status `end`) when
 * a Sentinel's `+switch-master` cuts short a reconnect that is being resolved: 6.0.0, connectors/SentinelConnector.
 */
export function revive(redis: Redis, clock: Pick<Clock, "sleep">): void {
  const closed = new AbortController();
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (reconnect = false) => {
    if (!reconnect) closed.abort();
    disconnect(reconnect);
  };
  redis.on("end", () => void connectAgain());

  async function connectAgain(): Promise<void> {
    await clock.sleep(PAUSE, closed.signal);
    // A connect that fails ends in another `end`, or goes on by itself.
    if (!closed.signal.aborted && redis.status === "end") await redis.connect().catch(() => undefined);
  }
}
