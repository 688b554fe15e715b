import { z } from "zod";

import { address, type Address, isUrlOf, path, text } from "./leaves.ts";

/** The region's Redis: one server, or a primary that Sentinels know by name. */
export type RedisConfig = (
  | { readonly url: string }
  | { readonly sentinels: readonly Address[]; readonly name: string }
) & {
  readonly passwordFile?: string | undefined;
  /** Replicas that must have a wakeup before it counts as accepted (`WAIT`); 0: the primary alone. */
  readonly waitReplicas: number;
  /** Share of Redis' memory in use above which new wakeups are refused. */
  readonly memoryShare: number;
};

const SCHEMES = ["redis:", "rediss:", "redis+unix:"];

const keys = z.strictObject({
  url: text(
    (url) => isUrlOf(SCHEMES, url),
    "a URL redis://host:port, rediss://host:port or redis+unix:///path, without a password in it",
    "redis://127.0.0.1:6379",
  ).optional(),
  sentinels: z.array(address("10.0.0.1:26379")).min(1, "must name at least one Sentinel").optional(),
  name: text(
    (name) => /^[\w.-]{1,64}$/.test(name),
    "the name that Sentinels have for the primary",
    "reveille-eu",
  ).optional(),
  passwordFile: path("/etc/reveille/redis/password").optional(),
  waitReplicas: z
    .int()
    .min(0)
    .max(5)
    .meta({ examples: [1] })
    .prefault(0),
  memoryShare: z
    .number()
    .min(0.1)
    .max(0.95)
    .meta({ examples: [0.7] })
    .prefault(0.7),
});

export const redisConfig = z.codec(keys, z.custom<RedisConfig>(), {
  decode: ({ url, sentinels, name, passwordFile, ...limits }, context) => {
    const rest = { ...limits, ...(passwordFile === undefined ? {} : { passwordFile }) };
    if (url !== undefined && sentinels === undefined && name === undefined) return { url, ...rest };
    if (url === undefined && sentinels !== undefined && name !== undefined)
      return { sentinels, name, ...rest };
    context.issues.push({
      code: "custom",
      message: "needs either `url`, or `sentinels` and `name`",
      input: { url, sentinels, name },
      params: {
        hint: 'for example: `url: redis://127.0.0.1:6379`, or `sentinels: ["10.0.0.1:26379"]` and `name: eu`',
      },
    });
    return z.NEVER;
  },
  encode: (config) => ("url" in config ? { ...config } : { ...config, sentinels: [...config.sentinels] }),
});
