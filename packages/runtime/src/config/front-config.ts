import { z } from "zod";

import { address, domain, duration, path } from "./leaves.ts";

const MOST_HELD_FOR = 20_000;

const count = (example: number, most: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .meta({ examples: [example] })
    .prefault(example);

/** The front of our own: s2s outside, the ingresses' component listener inside. Secrets are paths. */
export const frontConfig = z.strictObject({
  /** By the hostname that users' servers publish to. */
  hostnames: z
    .record(
      domain("eu.push.example"),
      z.strictObject({
        certificateFile: path("/etc/reveille/s2s/eu.push.example.crt"),
        keyFile: path("/etc/reveille/s2s/eu.push.example.key"),
      }),
    )
    .refine((all) => Object.keys(all).length > 0, "must contain at least one hostname"),
  /** STARTTLS. */
  listen: z.array(address("[::]:5269")).min(1).prefault(["[::]:5269"]),
  /** XEP-0368. */
  listenDirectTls: z.array(address("[::]:5270")).prefault(["[::]:5270"]),
  component: z.strictObject({
    listen: address("127.0.0.1:5347").prefault("127.0.0.1:5347"),
    secretFile: path("/etc/reveille/front/component.secret"),
  }),
  dialbackSecretFile: path("/etc/reveille/s2s/dialback.secret"),
  authoritiesFile: path("/etc/reveille/s2s/authorities.pem").optional(),
  dnsServers: z.array(address("127.0.0.1:53")).min(1).optional(),
  /** Sidecars of this host and of the region's others. Without it the front listens whatever state its host is in. */
  hosts: z
    .strictObject({
      own: address("127.0.0.1:9464").prefault("127.0.0.1:9464"),
      others: z.array(address("192.0.2.2:9464")).min(1),
    })
    .optional(),
  /** Whether streams may be opened to addresses that are not of the open internet. */
  privateAddresses: z
    .enum(["refuse", "allow"])
    .meta({ examples: ["refuse"] })
    .prefault("refuse"),
  limits: z
    .strictObject({
      connections: count(20_000, 1_000_000),
      connectionsOfAddress: count(1_000, 1_000_000),
      unproven: count(2_000, 1_000_000),
      unprovenOfAddress: count(50, 1_000_000),
      streamsOfDomain: count(100, 1_000_000),
      lookUps: count(300, 100_000),
      lookUpsOfAddress: count(50, 100_000),
      holdFor: duration
        .refine((length) => length <= MOST_HELD_FOR, {
          error: "must be at most 20s: senders give up after 32 s",
        })
        .prefault("5s"),
      heldLength: count(8_388_608, 1_073_741_824),
      unsentLength: count(131_072, 16_777_216),
      stanzaLength: z
        .int()
        .min(10_000)
        .max(65_536)
        .meta({ examples: [65_536] })
        .prefault(65_536),
    })
    .prefault({}),
});

export type FrontConfig = z.output<typeof frontConfig>;
