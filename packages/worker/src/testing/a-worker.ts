import { setTimeout as delay } from "node:timers/promises";

import { redisAdmission, redisBacklog } from "@reveille/admission";
import { openProducerRedis, openRegionClock, openWakeupQueue, openWorkerRedis } from "@reveille/queue";
import { aRegion, aRegionSecret, startRedis } from "@reveille/testkit";
import { type Clock, epochMillis, hours, millis, minutes, type PushEvent } from "@reveille/wakeup";

import { startWorker, type WorkerOptions } from "../start-worker.ts";

/** The machine's: BullMQ looks at the real time by itself. */
export const clock: Clock = {
  now: () => epochMillis(Math.floor(performance.timeOrigin + performance.now())),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

const WINDOW = millis(300);

/** That of a host whose wall clock is off by so many ms. */
export const skewedBy = (off: number): Clock => ({ ...clock, now: () => epochMillis(clock.now() + off) });

/** A worker over a Redis of its own, on a host with this clock; `queue` and `admission` are those of an ingress. */
export async function aWorkerWith(
  pushServices: Pick<WorkerOptions, "send" | "room">,
  hosts: { readonly ingress: Clock; readonly worker: Clock } = { ingress: clock, worker: clock },
) {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await startRedis());
  const settings = { url: `redis+unix://${server.path}` };
  const events: PushEvent[] = [];
  const observe = (event: PushEvent): void => void events.push(event);
  const redis = await openProducerRedis(settings, { connection: "producer", clock, observe });
  parts.defer(() => redis.disconnect());
  const blocking = await openWorkerRedis(settings, { connection: "worker", clock, observe });
  parts.defer(() => blocking.disconnect());

  const clockOf = async (host: Clock): Promise<Clock> =>
    parts.use(await openRegionClock({ redis, clock: host, observe }));
  const common = { region: aRegion(), clock: await clockOf(hosts.ingress), observe };
  const queue = parts.use(await openWakeupQueue({ ...common, redis, node: "s1" }));
  const devices = { ...common, redis, secret: aRegionSecret(), windowOf: () => WINDOW };
  const admission = redisAdmission({
    ...devices,
    forgetDeadAfter: () => minutes(1),
    confirmDeadAfter: millis(200),
  });
  const worker = parts.use(
    await startWorker({
      ...common,
      clock: await clockOf(hosts.worker),
      ...pushServices,
      redis: blocking,
      node: "s1",
      queue,
      memory: admission,
      trailing: admission,
      backlog: redisBacklog({ ...devices, longestDeadline: () => hours(1) }),
      deadlineOf: () => hours(1),
    }),
  );
  const stack = parts.move();
  return {
    clock: common.clock,
    admission,
    queue,
    worker,
    events,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
