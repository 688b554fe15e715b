import { BlockList, isIP, isIPv6 } from "node:net";

import { type PushModule } from "@reveille/wakeup";
import { z } from "zod";

import { frontService } from "./component-config.ts";
import { modules } from "./config.ts";
import { asYaml } from "./hint.ts";
import { domain, pushModule, region, text } from "./leaves.ts";
import { type ModuleConfig } from "./module-config.ts";

const ip = (example: string) => text((address) => isIP(address) !== 0, "an IP address", example);
/** Redis, Sentinels, front and sidecar listen on it. RFC 1918, RFC 6598 (tunnels such as Tailscale's), loopback, link-local. */
const INSIDE = new BlockList();
INSIDE.addSubnet("10.0.0.0", 8);
INSIDE.addSubnet("172.16.0.0", 12);
INSIDE.addSubnet("192.168.0.0", 16);
INSIDE.addSubnet("100.64.0.0", 10);
INSIDE.addSubnet("127.0.0.0", 8);
INSIDE.addSubnet("169.254.0.0", 16);

/** Whether it is an IPv4 address that nobody reaches from the internet. */
export const isInsideAddress = (address: string): boolean => isIP(address) === 4 && INSIDE.check(address);

const inside = text((address) => isIP(address) === 4, "an IPv4 address", "10.0.0.1").refine(
  (address) => isIP(address) !== 4 || isInsideAddress(address),
  {
    error:
      "is an address of the internet: Redis, Sentinel and the front's component port would listen there for everybody",
    params: { hint: "name an address of a private network or a tunnel, for example: `inside: 10.0.0.1`" },
  },
);

const host = z.strictObject({
  name: domain("s1.eu.push.example"),
  /** Where the internet reaches it. */
  addresses: z
    .array(ip("192.0.2.1"))
    .min(1, "must hold at least one address")
    .refine((all) => all.filter((one) => !isIPv6(one)).length <= 1, "must hold one IPv4 address at most"),
  /** Where the other machines of the region reach it, over a network of their own. */
  inside,
});

const witness = z.strictObject({ name: domain("w.eu.push.example"), inside });

/** Publishes to `hostname` by s2s from a front in another place, as users' servers do. */
const canary = z.strictObject({
  /** The host of this plan that it runs on. */
  host: domain("s2.eu.push.example"),
  /** Where that front waits for components. */
  service: frontService("xmpp://10.0.1.1:5347"),
  /** What it is called there. */
  domain: domain("canary.example"),
});

/** What `reveille render` makes the configuration of a region's machines from. */
export const planSchema = z.strictObject({
  region,
  hostname: domain("eu.push.example"),
  front: z
    .enum(["reveille", "prosody", "ejabberd"])
    .meta({ examples: ["reveille"] })
    .prefault("prosody"),
  hosts: z.array(host).min(1, "must hold one or two hosts").max(2, "must hold one or two hosts"),
  witness: witness.optional(),
  canary: canary.optional(),
  /** Hosts of other regions that serve `hostname` too, when both hosts of this one are gone. */
  fallbacks: z.array(domain("s1.us.push.example")).prefault([]),
  /** Hostnames of other regions that this one serves too. */
  alsoServes: z.array(domain("us.push.example")).prefault([]),
  modulesFile: text((file) => file !== "", "the path of a file", "modules.yaml"),
});

export type Plan = z.output<typeof planSchema>;

/** The part of the configuration that is the same on every host of every region. */
export const modulesFileSchema = z.strictObject({
  defaultModule: pushModule.optional(),
  retiredModules: z.array(pushModule).optional(),
  modules,
});

export interface ModulesFile {
  readonly defaultModule?: PushModule | undefined;
  readonly retiredModules?: PushModule[] | undefined;
  readonly modules: ReadonlyMap<PushModule, ModuleConfig>;
}

/** As YAML that `parsePlan` reads back to the same. */
export const describePlan = (plan: Plan): string => asYaml(z.encode(planSchema, plan));

/** As YAML that stands in a host's configuration as it is. */
export const describeModules = (file: ModulesFile): string => asYaml(z.encode(modulesFileSchema, file));
