import { type Clock, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/** Longer than a Redis of ours loads: half a gigabyte takes some seconds. */
const READY_WITHIN = seconds(15);

/**
 * Ends a connection whose server is not ready in time. ioredis asks a server that loads its data again and again, however long
 * that takes, while another connection to the same address may lead to one that works.
 */
export function leaveWhileLoading(redis: Redis, clock: Pick<Clock, "sleep">): void {
  redis.on("connect", () => void leaveIfLate());

  async function leaveIfLate(): Promise<void> {
    const over = new AbortController();
    const done = (): void => over.abort();
    redis.once("ready", done).once("close", done);
    await clock.sleep(READY_WITHIN, over.signal);
    redis.off("ready", done).off("close", done);
    if (!over.signal.aborted && redis.status === "connect") redis.disconnect(true);
  }
}
