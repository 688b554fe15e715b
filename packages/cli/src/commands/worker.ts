import { redisAdmission, redisBacklog } from "@reveille/admission";
import { openPushServices } from "@reveille/push-services";
import {
  followPushTests,
  openRegionSigns,
  openWakeupQueue,
  openWorkerRedis,
  rewriteAppendOnlyFiles,
} from "@reveille/queue";
import { systemClock } from "@reveille/runtime";
import { hours, type Sign } from "@reveille/wakeup";
import { startWorker } from "@reveille/worker";

import { admissionOptionsOf } from "../role/admission-options.ts";
import { moduleRules, moduleSettingsOf } from "../modules/module-settings.ts";
import { proveCredential } from "../modules/prove-credential.ts";
import { addReadings } from "../role/readings.ts";
import { NODE, type RoleContext, runRole, type RunningRole } from "../role/role.ts";
import { WorkerModules } from "../modules/worker-modules.ts";

/** `reveille worker`: wakeups from the queue go to APNs. Stateless; run as many as wanted. */
export async function runWorker(file: string): Promise<void> {
  await runRole("worker", file, startParts, moduleRules);
}

async function startParts(context: RoleContext): Promise<RunningRole> {
  const { config, observe, redis, regionClock } = context;
  const { region } = config;
  const clock = systemClock;
  await using starting = new AsyncDisposableStack();

  const pushServices = starting.use(
    await openPushServices({
      modules: moduleSettingsOf(config),
      clock,
      observe,
      engine: config.worker.http2,
      mostAtOnce: config.worker.pushesAtOnce,
    }),
  );
  const queue = starting.use(
    await openWakeupQueue({
      redis,
      region,
      node: NODE,
      clock: regionClock,
      observe,
      waitReplicas: config.redis.waitReplicas,
    }),
  );
  const blocking = await openWorkerRedis(context.redisSettings, {
    connection: "worker",
    clock,
    observe,
    connectWithin: context.stop,
  });
  starting.defer(() => blocking.disconnect());
  const admissionOptions = admissionOptionsOf(context);
  const admission = redisAdmission(admissionOptions);
  const stopped = new AbortController();
  starting.defer(() => stopped.abort());
  const modules = new WorkerModules({
    first: config,
    pushServices,
    prove: (module, settings) => proveCredential(module, settings, clock),
    clock,
    stopped: stopped.signal,
  });
  const tests = starting.use(followPushTests({ redis, region, secret: context.secret, clock }));
  const worker = starting.use(
    await startWorker({
      redis: blocking,
      region,
      node: NODE,
      queue,
      memory: admission,
      trailing: admission,
      backlog: redisBacklog({
        ...admissionOptions,
        longestDeadline: () => modules.longestDeadline,
        mostDevices: () => context.current().admission.mostBacklogDevices,
      }),
      send: pushServices.send,
      room: pushServices.room,
      // A wakeup for a module that this host no longer knows waits for a worker that does.
      deadlineOf: (module) => modules.known.get(module)?.deadline ?? hours(1),
      clock: regionClock,
      observe: (event) => {
        observe(event);
        tests.note(event);
      },
    }),
  );

  const isAble = (): boolean =>
    worker.health().health.kind === "ready" &&
    pushServices.health().some(({ health }) => health.kind === "ready");
  const give = (): readonly Sign[] => [
    ...(isAble() ? (["worker"] as const) : []),
    ...(worker.hasTaken() ? (["batch-taken"] as const) : []),
  ];
  starting.use(rewriteAppendOnlyFiles({ redis, region, clock, observe, every: config.redis.rewriteEvery }));
  starting.use(await openRegionSigns({ redis, region, host: config.host, clock, give }));
  addReadings(context, queue, admission);
  context.metrics.addReading(() =>
    pushServices.expiries().map(({ module, expiresAt }) => ({ kind: "credential", module, expiresAt })),
  );
  const running = starting.move();
  return {
    health: () => [worker.health(), ...pushServices.health()],
    adopt: (next) => modules.adopt(next),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
