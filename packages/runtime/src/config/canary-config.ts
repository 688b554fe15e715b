import { minutes, seconds } from "@reveille/wakeup";
import { z } from "zod";

import { componentConfig } from "./component-config.ts";
import { domain, duration, path, pushModule } from "./leaves.ts";

/** Alerts look back half an hour. */
const every = duration.refine((length) => length >= seconds(10) && length <= minutes(10), {
  error: "must be 10s to 10m",
  params: { hint: "for example: `every: 1m`" },
});

/** Nobody but Tigase waits for a reply for more than 32 s. */
const replyWithin = duration.refine((length) => length >= seconds(1) && length <= minutes(1), {
  error: "must be 1s to 1m",
  params: { hint: "for example: `replyWithin: 30s`" },
});

/** Workers tell for two minutes what became of a push. */
const deliveryWithin = duration.refine((length) => length >= seconds(1) && length <= seconds(60), {
  error: "must be 1s to 60s",
  params: { hint: "for example: `deliveryWithin: 45s`" },
});

const isEachOnce = (names: readonly string[]): boolean => new Set(names).size === names.length;

/** Where a canary publishes from, to which hostnames, and what it expects. */
export const canaryConfig = z.strictObject({
  component: componentConfig({
    domain: "canary.example",
    secretFile: "/etc/reveille/canary/component.secret",
  }),
  hostnames: z
    .array(domain("eu.push.example"))
    .min(1, "must name at least one hostname")
    .max(32, "must name at most 32 hostnames")
    .refine(isEachOnce, {
      error: "names a hostname twice",
      params: { hint: "remove one of them" },
    })
    .meta({ examples: [["eu.push.example"]] }),
  /** Named in its publishes. */
  module: pushModule.optional(),
  /** Of a device that is there for tests. */
  tokenFile: path("/etc/reveille/canary/device.token").optional(),
  every: every.prefault("1m"),
  replyWithin: replyWithin.prefault("30s"),
  deliveryWithin: deliveryWithin.prefault("45s"),
});

export type CanaryConfig = z.output<typeof canaryConfig>;
