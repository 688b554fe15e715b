import { type Disposition, type QueuedWakeup } from "@reveille/queue";
import { between, type Clock, type Millis, millis, type Observe, type PushModule } from "@reveille/wakeup";

import { type DeliveryMemory, type Send } from "./ports.ts";
import { settle } from "./settle.ts";

/** What one delivery needs. */
export interface Delivery {
  readonly send: Send;
  readonly memory: DeliveryMemory;
  readonly clock: Clock;
  readonly observe: Observe;
  /** How long after its publish a wakeup of this module is still worth a push. */
  readonly deadlineOf: (module: PushModule) => Millis;
  /** From 0 to 1, spreads retries. */
  readonly chance: () => number;
}

/** How an attempt ended. */
export interface Attempt {
  readonly disposition: Disposition;
  /** The push service took the push. */
  readonly accepted: boolean;
}

/** The path of one wakeup from the queue: send, tell, settle. Rejects only when Redis is away. */
export async function deliver({ wakeup, attempt }: QueuedWakeup, delivery: Delivery): Promise<Attempt> {
  const { clock, observe, deadlineOf } = delivery;
  const left = deadlineOf(wakeup.module) - between(wakeup.receivedAt, clock.now());
  if (left < 0) {
    observe({ kind: "wakeup-dropped", wakeup, because: "deadline" });
    return { disposition: DONE, accepted: false };
  }
  const startedAt = clock.monotonic();
  const outcome = await delivery.send(wakeup);
  const took = millis(clock.monotonic() - startedAt);
  const wanted = await settle({ wakeup, outcome, attempt }, delivery.memory, delivery.chance());
  const tooLate = wanted.kind === "retry" && wanted.after > left;
  const age = between(wakeup.receivedAt, clock.now());
  observe({ kind: "delivery-settled", wakeup, outcome, next: tooLate ? "give-up" : wanted.kind, age, took });
  if (tooLate) observe({ kind: "wakeup-dropped", wakeup, because: "deadline" });
  return { disposition: tooLate ? DONE : wanted, accepted: outcome.kind === "delivered" };
}

const DONE: Disposition = { kind: "done" };
