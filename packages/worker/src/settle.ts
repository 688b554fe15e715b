import { type Disposition } from "@reveille/queue";
import { type Millis, type Outcome, seconds, type Wakeup } from "@reveille/wakeup";

import { type DeliveryMemory, type DeviceMemory } from "./ports.ts";
import { retryDelay } from "./retry-delay.ts";

/** A module whose credential is refused is asked again this often; its breaker decides what really goes out. */
const PARK = seconds(60);

/** A wakeup with what the push service answered. */
export interface Answered {
  readonly wakeup: Wakeup;
  readonly outcome: Outcome;
  /** 1 for the first. */
  readonly attempt: number;
}

/** Tells admission what the outcome means for the device, and the queue what follows. Rejects when Redis is away. */
export async function settle(
  { wakeup, outcome, attempt }: Answered,
  memory: DeliveryMemory,
  chance: number,
): Promise<Disposition> {
  switch (outcome.kind) {
    case "delivered":
      if (wakeup.unproven === true) memory.noteAccepted(wakeup);
      // Only a second attempt can have been made because of a doubt. The doubt lapses by itself if Redis is away.
      if (attempt > 1) await memory.clearSuspicion(wakeup).catch(() => undefined);
      return { kind: "done" };
    case "token-dead":
      return settleDead({ wakeup, outcome }, memory);
    case "throttled":
      await memory.postpone(wakeup, outcome.retryAfter);
      return retry(outcome.retryAfter);
    case "unreachable":
      return outcome.retryAfter === undefined
        ? retry(retryDelay(attempt, chance))
        : putOff(outcome.retryAfter);
    case "rejected":
      return outcome.blame === "module"
        ? putOff(later(PARK, outcome.retryAfter))
        : { kind: "give-up", reason: outcome.reason };
  }
}

async function settleDead(
  {
    wakeup,
    outcome,
  }: { readonly wakeup: Wakeup; readonly outcome: Outcome & { readonly kind: "token-dead" } },
  memory: DeviceMemory,
): Promise<Disposition> {
  const isNew = wakeup.unproven === true;
  // A domain does not pay for what may be a mistake in our own settings.
  if (isNew && outcome.proof !== "doubted") await memory.noteFirst([wakeup], false);
  switch (outcome.proof) {
    case "certain":
      await memory.markDead(wakeup, outcome.since);
      return { kind: "done" };
    case "suspected": {
      const suspicion = await memory.suspectDead(wakeup);
      // What strangers make up is not repeated: the next publish to the device asks the push service again.
      return suspicion.kind === "confirm" && !isNew ? retry(suspicion.after) : { kind: "done" };
    }
    case "doubted":
      return { kind: "done" };
  }
}

const later = (park: Millis, asked = park): Millis => (asked > park ? asked : park);
const retry = (after: Millis): Disposition => ({ kind: "retry", after });
/** The trouble is not the wakeup's: once it is over, pauses begin small again. */
const putOff = (after: Millis): Disposition => ({ kind: "retry", after, tried: false });
