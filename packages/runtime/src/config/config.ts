import { isPushModule, type PushModule } from "@reveille/wakeup";
import { z } from "zod";

import { canaryConfig } from "./canary-config.ts";
import { ingressComponent } from "./component-config.ts";
import { frontConfig } from "./front-config.ts";
import { address, domain, path, pushModule, rate, region, someTime, text } from "./leaves.ts";
import { moduleConfig, type ModuleConfig } from "./module-config.ts";
import { redisConfig } from "./redis-config.ts";

// Linux takes 107 bytes as the path of a Unix socket; `/ingress-4194304.sock.new` needs 25.
const fitsSockets = (folder: string): boolean => folder.startsWith("/") && Buffer.byteLength(folder) <= 80;

const isEachOnce = (components: readonly z.output<typeof ingressComponent>[]): boolean =>
  new Set(components.map(({ service, domain }) => `${service} ${domain}`)).size === components.length;

/** So much at once after a quiet time, and at this rate from then on. */
const limit = z.strictObject({
  rate,
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ examples: [1_000] }),
});

/** Push modules by the name their publishes carry. */
export const modules = z.codec(
  z
    .record(pushModule, moduleConfig)
    .refine((all) => Object.keys(all).length > 0, "must hold at least one module")
    .superRefine((all, context) => {
      for (const { path, alias } of ambiguousAliases(all)) {
        const message = `${JSON.stringify(alias)} is the name or an alias of another module: a publish for it would have two`;
        context.addIssue({
          code: "custom",
          path,
          message,
          params: { hint: "take it away from one of them" },
        });
      }
    }),
  z.custom<ReadonlyMap<PushModule, ModuleConfig>>(),
  {
    decode: (record) => {
      const map = new Map<PushModule, ModuleConfig>();
      for (const [name, module] of Object.entries(record)) if (isPushModule(name)) map.set(name, module);
      return map;
    },
    encode: (map) => Object.fromEntries(map),
  },
);

function ambiguousAliases(all: Readonly<Record<string, ModuleConfig>>) {
  const names = new Set(Object.keys(all));
  return Object.entries(all).flatMap(([module, { aliases }]) =>
    aliases.flatMap((alias, index) => {
      const isTaken = names.has(alias);
      names.add(alias);
      return isTaken ? [{ path: [module, "aliases", index], alias }] : [];
    }),
  );
}

/** The configuration of one host, with every default filled in. Secrets are paths. */
export const configSchema = z.strictObject({
  region,
  host: domain("s1.eu.push.example"),
  runtimeDir: text(fitsSockets, "an absolute path of at most 80 bytes", "/run/reveille").prefault(
    "/run/reveille",
  ),
  redis: redisConfig,
  ingress: z.strictObject({
    components: z
      .array(ingressComponent)
      .min(1, "must name at least the own front")
      // An ingress would be in conflict with itself for ever.
      .refine(isEachOnce, {
        error: "names a component of the same front twice",
        params: { hint: "remove one of them" },
      }),
    rememberDead: someTime.prefault("60s"),
    domainLimit: limit.prefault({ rate: "1000/s", burst: 20_000 }),
    queryLimit: limit.prefault({ rate: "5/s", burst: 100 }),
    countDomains: z
      .enum(["registrable", "each"])
      .meta({ examples: ["registrable"] })
      .prefault("registrable"),
  }),
  front: frontConfig.optional(),
  admission: z
    .strictObject({
      window: someTime.prefault("20s"),
      forgetDeadAfter: someTime.prefault("7d"),
      mostDeadDevices: z
        .int()
        .min(1_000)
        .max(10_000_000)
        .meta({ examples: [100_000] })
        .prefault(100_000),
      mostBacklogDevices: z
        .int()
        .min(1_000)
        .max(10_000_000)
        .meta({ examples: [300_000] })
        .prefault(300_000),
      rememberDevices: someTime.prefault("14d"),
      newDevices: z
        .strictObject({
          perDomain: limit.prefault({ rate: "10/m", burst: 600 }),
          inAll: limit.prefault({ rate: "40/m", burst: 1_200 }),
        })
        .prefault({}),
    })
    .prefault({}),
  worker: z
    .strictObject({
      /** Pushes of one module under way beyond which a worker takes no more wakeups. */
      pushesAtOnce: z
        .int()
        .min(1)
        .max(4_000)
        .meta({ examples: [1_000] })
        .prefault(1_000),
      /** What speaks HTTP/2 to push services. */
      http2: z
        .enum(["frames", "node"])
        .meta({ examples: ["frames"] })
        .prefault("frames"),
    })
    .prefault({}),
  defaultModule: pushModule.optional(),
  /** Names that are served no more, on purpose: their registrations may end. */
  retiredModules: z.array(pushModule).optional(),
  modules,
  sidecar: z
    .strictObject({
      listen: address("127.0.0.1:9464").prefault("127.0.0.1:9464"),
      statusListen: address("127.0.0.1:9465").optional(),
      metricsTokenFile: path("/etc/reveille/sidecar/metrics.token").optional(),
      fronts: z.array(address("127.0.0.1:5270")).optional(),
    })
    .prefault({}),
  canary: canaryConfig.optional(),
  log: z
    .strictObject({
      level: z
        .enum(["error", "warn", "info", "debug"])
        .meta({ examples: ["info"] })
        .prefault("info"),
    })
    .prefault({}),
  drainWithin: someTime.prefault("25s"),
});

export type Config = z.output<typeof configSchema>;

/** What a canary reads: on a machine outside of any region there is no Redis, no ingress and no module. */
export const canaryFileSchema = configSchema
  .partial({ redis: true, ingress: true, modules: true })
  .extend({ canary: canaryConfig });

export type CanaryFile = z.output<typeof canaryFileSchema>;

/** Names below `modules`, whatever else is wrong there. */
export function moduleNames(raw: unknown): readonly string[] {
  if (typeof raw !== "object" || raw === null || !("modules" in raw)) return [];
  return typeof raw.modules === "object" && raw.modules !== null ? Object.keys(raw.modules) : [];
}
