import { Redis, type RedisOptions } from "ioredis";

/**
 * What `INFO` answers where an ACL forbids it (`NOPERM`). BullMQ reads the version, which has to be new enough for it; our own
 * readers ask `isForbidden`.
 */
const FORBIDDEN = "redis_version:6.2.0\r\nloading:0\r\ninfo_forbidden:1\r\n";

/** Whether this answer of `INFO` tells nothing, since nobody may ask. */
export const isForbidden = (info: string): boolean => info === FORBIDDEN;

/**
 * Works where INFO is not allowed. ioredis 6.0.0 prints a raw line on standard error then, beside the log, at each connection
 * (its `_readyCheck`), and BullMQ 6.7.0 does not start at all.
 */
export class QuietRedis extends Redis {
  override info(...args: readonly unknown[]): Promise<string> {
    const callback = args.at(-1);
    const sections = args.filter((arg) => typeof arg === "string");
    const answer = allowed(super.info(...sections));
    if (typeof callback === "function") void tell(answer, callback);
    return answer;
  }

  /** BullMQ makes its blocking connection so. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new QuietRedis({ ...this.options, ...override, replyMapping: "legacy" });
  }
}

async function allowed(answer: Promise<string>): Promise<string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOPERM")) return FORBIDDEN;
    throw error;
  }
}

/** As Node's callbacks have it. */
async function tell(answer: Promise<string>, callback: CallableFunction): Promise<void> {
  const args: readonly unknown[] = await answer.then(
    (text) => [null, text],
    (error: unknown) => [error],
  );
  Reflect.apply(callback, undefined, args);
}
