import { setTimeout as delay } from "node:timers/promises";

import { redisAdmission, redisBacklog } from "@reveille/admission";
import { openProducerRedis, openWakeupQueue, openWorkerRedis } from "@reveille/queue";
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

/** A worker over a Redis of its own. */
export async function aWorkerWith(pushServices: Pick<WorkerOptions, "send" | "room">) {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await startRedis());
  const settings = { url: `redis+unix://${server.path}` };
  const events: PushEvent[] = [];
  const observe = (event: PushEvent): void => void events.push(event);
  const redis = await openProducerRedis(settings, { connection: "producer", clock, observe });
  parts.defer(() => redis.disconnect());
  const blocking = await openWorkerRedis(settings, { connection: "worker", clock, observe });
  parts.defer(() => blocking.disconnect());

  const common = { region: aRegion(), clock, observe };
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
  return { admission, queue, worker, events, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
