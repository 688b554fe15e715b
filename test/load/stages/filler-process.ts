import { openRegionSecret, redisAdmission } from "@reveille/admission";
import { consumeWakeups, openProducerRedis, openWakeupQueue, openWorkerRedis } from "@reveille/queue";
import { systemClock } from "@reveille/runtime";
import { hours, seconds, type Wakeup } from "@reveille/wakeup";

import { type Filling } from "./filling.ts";
import { serveDriver, settingsOf } from "../serve-driver.ts";
import { tokenOf } from "../tokens.ts";
import { MODULE, REGION } from "./region.ts";

/**
 * Fills the region's Redis before a load: so many devices with a state, and as many wakeups in the queue, put off for
 * longer than any load takes. All by the code of the region itself; then it does nothing more.
 */
const { url, count } = settingsOf(
  (value: unknown): value is { url: string; count: number } =>
    typeof value === "object" && value !== null && "url" in value && "count" in value,
);

const PER_CALL = 128;
const CALLS_AT_ONCE = 8;
/** Beyond all indexes of the load. */
const FIRST_TOKEN = 2 ** 31;

const clock = systemClock;
const observe = () => undefined;
const redis = await openProducerRedis({ url }, { connection: "filler", clock, observe });
const blocking = await openWorkerRedis({ url }, { connection: "filler", clock, observe });
const common = { redis, region: REGION, clock, observe };
const secret = await openRegionSecret(redis, REGION);
const admission = redisAdmission({
  ...common,
  secret,
  windowOf: () => hours(1),
  forgetDeadAfter: () => hours(1),
});
const queue = await openWakeupQueue({ ...common, node: "bench" });

function wakeups(from: number): readonly Wakeup[] {
  const receivedAt = clock.now();
  return Array.from({ length: Math.min(PER_CALL, count - from) }, (_, offset) => ({
    token: tokenOf(FIRST_TOKEN + from + offset),
    module: MODULE,
    urgent: true,
    receivedAt,
  }));
}

async function inParts(act: (part: readonly Wakeup[]) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += CALLS_AT_ONCE * PER_CALL) {
    const starts = Array.from({ length: CALLS_AT_ONCE }, (_, call) => from + call * PER_CALL);
    await Promise.all(starts.filter((start) => start < count).map(async (start) => act(wakeups(start))));
  }
}

const usedMemory = async (): Promise<number> =>
  Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);

async function putOff(): Promise<void> {
  const consumer = await consumeWakeups({
    redis: blocking,
    region: REGION,
    node: "bench",
    batchesAtOnce: 64,
    clock,
    observe,
    handle: async (queued) =>
      Promise.resolve(queued.map(() => ({ kind: "retry", after: hours(1), tried: false }) as const)),
  });
  const isDone = async (): Promise<boolean> => {
    const { waiting, active } = await queue.counts();
    return waiting + active === 0;
  };
  while (!(await isDone())) await clock.sleep(seconds(0.1));
  await consumer[Symbol.asyncDispose]();
}

/** Redis writes its append-only file anew while it grows so fast; the load is not to pay for that. */
async function rewritten(): Promise<void> {
  while (/^(?:aof_rewrite_in_progress|aof_rewrite_scheduled):1/m.test(await redis.info("persistence"))) {
    await clock.sleep(seconds(0.1));
  }
}

const empty = await usedMemory();
await inParts(admission.decide);
const withDevices = await usedMemory();
await inParts(queue.add);
await putOff();
const filling: Filling = {
  bytesPerDevice: (withDevices - empty) / count,
  bytesPerQueued: ((await usedMemory()) - withDevices) / count,
};

await rewritten();

serveDriver(
  filling,
  () => undefined,
  async () => {
    await queue[Symbol.asyncDispose]();
    redis.disconnect();
    blocking.disconnect();
  },
);
