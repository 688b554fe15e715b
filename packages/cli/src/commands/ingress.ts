import {
  type NewDeviceLimits,
  openRegionCounts,
  redisAdmission,
  openServedModules,
  registrableDomain,
  type ServedModules,
  type ServedName,
} from "@reveille/admission";
import { type ComponentOptions, type Ingress, type IngressModules, startIngress } from "@reveille/ingress";
import { openRegionSigns, openWakeupQueue, watchRedisRoom, watchRegionHealth } from "@reveille/queue";
import { type Config, type Logger } from "@reveille/runtime";
import { type PushModule, type Sign } from "@reveille/wakeup";

import { admissionOptionsOf } from "../role/admission-options.ts";
import { fcmModulesOf } from "../modules/fcm-modules.ts";
import { secretFrom } from "../role/process.ts";
import { addReadings } from "../role/readings.ts";
import { openSentinels } from "../role/redis-settings.ts";
import { NODE, type RoleContext, runRole, type RunningRole } from "../role/role.ts";
import { noticingClearSenders, openLimitsOf } from "../role/sending-domains.ts";
import { VERSION } from "../role/version.ts";

/** `reveille ingress`: publishes from the front become wakeups in the queue. */
export async function runIngress(file: string): Promise<void> {
  await runRole("ingress", file, startParts);
}

async function startParts(context: RoleContext): Promise<RunningRole> {
  const { config, log, observe, redis, regionClock: clock } = context;
  await using starting = new AsyncDisposableStack();
  const sentinels = await openSentinels(context, clock);
  if (sentinels !== undefined) starting.use(sentinels);
  const queue = await openWakeupQueue({
    redis,
    region: config.region,
    node: NODE,
    clock,
    observe,
    waitReplicas: config.redis.waitReplicas,
    sentinelsAgree: sentinels?.agree,
  });
  starting.use(queue);
  const room = starting.use(
    await watchRedisRoom({ redis, clock, observe, mostShare: () => context.current().redis.memoryShare }),
  );
  let places: Pick<Ingress, "standsIn" | "wantsPlace"> = { standsIn: () => false, wantsPlace: () => false };
  const signs = starting.use(
    await openRegionSigns({
      redis,
      region: config.region,
      host: config.host,
      clock,
      give: () => signsOf(places),
    }),
  );
  const beyond = starting.use(await watchRegionHealth({ queue, signs, sentinels, clock }));
  const limits = starting.use(await openLimitsOf(context));
  const admissionOptions = admissionOptionsOf(context);
  const admission = redisAdmission({
    ...admissionOptions,
    limits,
    // Devices that never had a push wait first: nobody misses a push that he has had before.
    newDevices: () => withoutNewOnes(admissionOptions.newDevices?.(), room.isNearlyFull()),
  });
  const served = starting.use(
    await openServedModules({ redis, region: config.region, clock, first: namesOf(config) }),
  );
  const ingress = await startIngress({
    components: await componentsOf(config, log),
    modules: modulesOf(config, served),
    countedAs: (domain) =>
      context.current().ingress.countDomains === "registrable" ? registrableDomain(domain) : domain,
    admission,
    queue,
    limits: { rememberDead: config.ingress.rememberDead },
    isFull: room.isFull,
    isNearlyFull: room.isNearlyFull,
    isStoodInFor: () => signs.sees("stand-in"),
    isPlaceWanted: () => signs.seesElsewhere("wants-place"),
    refusal: limits.refusal,
    refusesQuery: limits.refusesQuery,
    payerOf: limits.payerOf,
    limitOf: limits.limitOf,
    regionCounts: openRegionCounts({ redis, region: config.region, secret: context.secret }),
    regionState: beyond.state,
    clock,
    observe: noticingClearSenders(context, starting),
    version: VERSION,
  });
  starting.use(ingress);
  places = ingress;
  addReadings(context, queue, admission);
  context.metrics.addReading(() => [
    { kind: "held", publishes: ingress.held() },
    { kind: "replies", ...ingress.repliesReach() },
    { kind: "sentinels", ...(sentinels?.sight() ?? { configured: 0, agreeing: 0 }) },
  ]);
  const running = starting.move();
  return {
    health: () => [...ingress.health(), ...beyond.health()],
    adopt: (next) => {
      served.serve(namesOf(next));
      ingress.serve(modulesOf(next, served));
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const withoutNewOnes = (
  limits: NewDeviceLimits | undefined,
  isNearlyFull: boolean,
): NewDeviceLimits | undefined =>
  limits !== undefined && isNearlyFull ? { ...limits, inAll: { ...limits.inAll, burst: 0 } } : limits;

const modulesOf = (config: Config, served: Pick<ServedModules, "wasServed">): IngressModules => ({
  known: new Set(config.modules.keys()),
  fcm: fcmModulesOf(config),
  aliases: new Map(
    [...config.modules].flatMap(([name, { aliases }]) => aliases.map((alias) => [alias, name])),
  ),
  wasServed: (name, kind) => !isRetired(name, config) && served.wasServed(name, kind),
  ...(config.defaultModule === undefined ? {} : { fallback: config.defaultModule }),
});

const isRetired = (name: string, { retiredModules = [] }: Config): boolean =>
  retiredModules.some((module) => module === name);

/** What publishes may name, and nothing for the default module. */
function namesOf(config: Config): readonly ServedName[] {
  const fcm = fcmModulesOf(config);
  const named = (name: string, module: PushModule): ServedName => ({
    name,
    kind: fcm.has(module) ? "fcm" : "apns",
  });
  const { defaultModule } = config;
  return [
    ...[...config.modules].flatMap(([module, { aliases }]) =>
      [module, ...aliases].map((name) => named(name, module)),
    ),
    ...(defaultModule === undefined ? [] : [named("", defaultModule)]),
  ];
}

const signsOf = ({ standsIn, wantsPlace }: Pick<Ingress, "standsIn" | "wantsPlace">): readonly Sign[] => [
  "ingress",
  ...(standsIn() ? ["stand-in" as const] : []),
  ...(wantsPlace() ? ["wants-place" as const] : []),
];

function componentsOf({ ingress }: Config, log: Logger): Promise<readonly ComponentOptions[]> {
  return Promise.all(
    ingress.components.map(async ({ secretFile, ...component }, index) => ({
      ...component,
      secret: await secretFrom(secretFile, `ingress.components.${index}.secretFile`, log),
    })),
  );
}
