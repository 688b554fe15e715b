import { consumeWakeups, type Disposition, openWorkerRedis } from "@reveille/queue";
import { createMetrics, systemClock } from "@reveille/runtime";

import { ArrivalLog } from "../arrivals.ts";
import { type Question } from "../driver.ts";
import { Histogram } from "../histogram.ts";
import { serveDriver, settingsOf } from "../serve-driver.ts";
import { indexOf } from "../tokens.ts";
import { MODULE, REGION } from "./region.ts";

/** A worker that is done with every wakeup at once. */
const url = settingsOf((value: unknown) => typeof value === "string");

const DONE: Disposition = { kind: "done" };
const clock = systemClock;
const { observe } = createMetrics({ role: "worker", version: "bench", modules: [MODULE], clock });
const redis = await openWorkerRedis({ url }, { connection: "worker", clock, observe });
const log = new ArrivalLog();

const consumer = await consumeWakeups({
  redis,
  region: REGION,
  node: "bench",
  batchesAtOnce: 16,
  clock,
  observe,
  handle: async (queued) => {
    const now = performance.timeOrigin + performance.now();
    for (const { wakeup } of queued) log.note(indexOf(wakeup.token), now);
    return Promise.resolve(queued.map(() => DONE));
  },
});

function answer(question: Question): unknown {
  switch (question.kind) {
    case "mark":
      return {
        at: clock.monotonic(),
        sent: 0,
        answers: { handled: log.count },
        latencies: new Histogram().take(),
      };
    case "arrivals":
      return log.arrivals;
    case "connected":
    case "start":
    case "arrived":
    case "stop":
    case "in-flight":
    case "journal":
      return undefined;
  }
}

serveDriver({}, answer, async () => {
  await consumer[Symbol.asyncDispose]();
  redis.disconnect();
});
