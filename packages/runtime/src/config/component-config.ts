import { z } from "zod";

import { domain, isUrlOf, path, text } from "./leaves.ts";

const isService = (url: string): boolean => isUrlOf(["xmpp:"], url) && /^xmpp:\/\/[^/?#@]+:\d+$/.test(url);

/** Where a front waits for external components. */
export const frontService = (example: string) =>
  text(isService, "xmpp://host:port of the front's component listener", example);

/** A place at a front for an external component (XEP-0114). */
export const componentConfig = (example: { readonly domain: string; readonly secretFile: string }) =>
  z.strictObject({
    service: frontService("xmpp://127.0.0.1:5347"),
    domain: domain(example.domain),
    secretFile: path(example.secretFile),
  });

/** The component of an ingress at a front. */
export const ingressComponent = componentConfig({
  domain: "eu.push.example",
  secretFile: "/etc/reveille/front/component.secret",
}).extend({
  /** Streams to open to that front. ejabberd has a fixed number of places, and loses what it draws for an empty one. */
  connections: z
    .int()
    .min(1)
    .max(16)
    .prefault(1)
    .meta({ examples: [2] }),
});
