import { type Backlog, type Trailing } from "@reveille/admission";
import { consumeWakeups, type ConsumerOptions, type WakeupConsumer, type WakeupQueue } from "@reveille/queue";
import { type Clock, type Millis, type Observe, type PushModule } from "@reveille/wakeup";

import { type BatchDelivery, deliverBatch } from "./deliver-batch.ts";
import { FirstPushes } from "./first-pushes.ts";
import { SendBudget } from "./send-budget.ts";
import { Lateness } from "./lateness.ts";
import { type DeviceMemory, type Send } from "./ports.ts";
import { pumpTrailing } from "./pump.ts";
import { Settlements } from "./settlements.ts";

/** A worker at work; disposing takes no new batch, finishes those in hand, and stops. */
export type RunningWorker = WakeupConsumer;

export interface WorkerOptions extends Pick<ConsumerOptions, "redis" | "region" | "node"> {
  readonly queue: Pick<WakeupQueue, "add">;
  readonly memory: DeviceMemory;
  readonly trailing: Trailing;
  readonly backlog: Backlog;
  readonly send: Send;
  /** How many more wakeups the push services can send at once; no batch is taken at 0. */
  readonly room: () => number;
  /** How long after its publish a wakeup of this module is still worth a push. */
  readonly deadlineOf: (module: PushModule) => Millis;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What one process keeps locked in Redis; batches of one wakeup fill the room for pushes long before. */
const MOST_BATCHES = 10_000;

/** Starts to drain the queue and to pump trailing pushes into it. The Redis connection stays the caller's. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { clock, observe, queue, trailing } = options;
  const firstPushes = new FirstPushes(options.memory, clock);
  const delivery: BatchDelivery = {
    ...options,
    memory: { ...options.memory, noteAccepted: (wakeup) => firstPushes.note(wakeup) },
    chance: Math.random,
    lateness: new Lateness(clock),
    settlements: new Settlements(options.backlog, observe),
  };
  const budget = new SendBudget(options.room);
  const consumer = await consumeWakeups({
    ...options,
    batchesAtOnce: MOST_BATCHES,
    room: budget.room,
    handle: (queued) =>
      budget.taking(queued.length, (arrived) => {
        const send: Send = (wakeup) => {
          arrived();
          return options.send(wakeup);
        };
        return deliverBatch(queued, { ...delivery, send });
      }),
  });
  const stop = new AbortController();
  const pumping = pumpTrailing({ trailing, queue, clock, observe }, stop.signal);
  return {
    ...consumer,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await pumping;
      await consumer[Symbol.asyncDispose]();
      await firstPushes.close();
    },
  };
}
