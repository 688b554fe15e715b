import { Redis, type SentinelConnectionOptions, SentinelConnector } from "ioredis";

/**
 * ioredis 6.0.0 subscribes to every Sentinel and listens to none of the errors: one that is out of reach is then printed
 * raw, beside the log, at each attempt and for each connection. Its absence is told by `watchSentinels`.
 */
export class QuietSentinels extends SentinelConnector {
  constructor(options: unknown) {
    if (!areSentinelOptions(options)) throw new Error("these options of ioredis name no Sentinels");
    super(options);
    const connect: unknown = Reflect.get(this, "connectToSentinel");
    if (typeof connect !== "function") throw new Error("ioredis connects to Sentinels in another way");
    Reflect.set(this, "connectToSentinel", (...args: readonly unknown[]): unknown => {
      const client: unknown = Reflect.apply(connect, this, args);
      if (client instanceof Redis) client.on("error", () => undefined);
      return client;
    });
  }
}

const areSentinelOptions = (options: unknown): options is SentinelConnectionOptions =>
  typeof options === "object" && options !== null && "sentinels" in options;
