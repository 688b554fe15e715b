import { isAbsolute } from "node:path";

import { isPushModule, isRegion, type Millis } from "@reveille/wakeup";
import { z } from "zod";

import { formatDuration, parseDuration } from "./duration.ts";
import { formatRate, parseRate } from "./rate.ts";

/** Text that passes `accepts`; `what` ends the sentence "must be …", `example` is shown as a cure. */
export const text = (accepts: (text: string) => boolean, what: string, example: string) =>
  z
    .string()
    .refine(accepts, { error: `must be ${what}` })
    .meta({ examples: [example] });

export const duration = z.codec(z.string().meta({ examples: ["20s"] }), z.custom<Millis>(), {
  decode: (input, context) => {
    const parsed = parseDuration(input);
    if (parsed !== undefined) return parsed;
    context.issues.push({
      code: "custom",
      message: "must be a duration with a unit: ms, s, m, h or d",
      input,
    });
    return z.NEVER;
  },
  encode: formatDuration,
});

/** For what makes no sense without any time. */
export const someTime = duration.refine((length) => length > 0, { error: "must be longer than nothing" });

/** So many per second, minute or hour; decoded as a number per second. */
export const rate = z.codec(z.string().meta({ examples: ["100/s"] }), z.number(), {
  decode: (input, context) => {
    const parsed = parseRate(input);
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: "custom", message: "must be a whole number per s, m or h", input });
    return z.NEVER;
  },
  encode: formatRate,
});

export const region = z
  .string()
  .refine(isRegion, { error: "must be 1 to 32 lower-case letters, digits and dashes" })
  .meta({ examples: ["eu"] });

export const pushModule = z
  .string()
  .refine(isPushModule, { error: "must be 1 to 64 of A-Z a-z 0-9 _ -" })
  .meta({ examples: ["monalProdiOS"] });

// Absolute, so that it does not matter in which folder a role is started.
export const path = (example: string) => text(isAbsolute, "an absolute path", example);

const DOMAIN = /^(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*$/;

export const domain = (example: string) =>
  text((name) => DOMAIN.test(name), "a host name in lower case", example);

/** A network address; IPv6 hosts stand in brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

function parseAddress(input: string): Address | undefined {
  const [, ipv6, name, digits] = ADDRESS.exec(input) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

export const address = (example: string) =>
  z.codec(z.string().meta({ examples: [example] }), z.custom<Address>(), {
    decode: (input, context) => {
      const parsed = parseAddress(input);
      if (parsed !== undefined) return parsed;
      context.issues.push({ code: "custom", message: "must be host:port", input });
      return z.NEVER;
    },
    encode: ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`),
  });

/** A URL of one of these schemes, with a host and without a password in it. */
export function isUrlOf(schemes: readonly string[], input: string): boolean {
  const url = URL.parse(input);
  return url !== null && schemes.includes(url.protocol) && url.password === "";
}
