import { type Clock, type Health, type PartHealth, seconds } from "@reveille/wakeup";

import { type RegionSigns } from "./region-signs.ts";
import { type QueueStanding, type WakeupQueue } from "./wakeup-queue.ts";
import { isMajority, type SentinelWatch } from "./watch-sentinels.ts";

export interface RegionHealthOptions {
  readonly queue: Pick<WakeupQueue, "standing">;
  readonly signs: Pick<RegionSigns, "sees" | "trouble">;
  /** Where Sentinels choose the primary. */
  readonly sentinels?: Pick<SentinelWatch, "sight"> | undefined;
  readonly clock: Clock;
}

/** Knows whether what lies behind an ingress would carry a wakeup to its push service. */
export interface RegionHealth extends AsyncDisposable {
  /** From memory. */
  readonly health: () => readonly PartHealth[];
  /** The same in a word: pushes leave, or will leave later, or nothing can be accepted. From memory. */
  readonly state: () => "ready" | "delayed" | "holding";
}

const LOOK_EVERY = seconds(1);

/** With nobody taking batches, one that has waited so long shows that the queue stands. */
const STANDS_AFTER = seconds(10);

const READY: Health = { kind: "ready" };
const failing = (because: string): Health => ({ kind: "failing", because });
const isFailing = ({ kind }: Health): boolean => kind === "failing";

/** Looks at the queue once, then every second. */
export async function watchRegionHealth(options: RegionHealthOptions): Promise<RegionHealth> {
  const { queue, signs, sentinels, clock } = options;
  const stop = new AbortController();
  let standing: QueueStanding | undefined;
  await look();
  const watching = watch();

  return {
    health: () => [
      { part: "redis-writes", health: writes() },
      ...(sentinels === undefined ? [] : [{ part: "sentinels", health: majority(sentinels) }]),
      { part: "queue", health: progress() },
      { part: "region-worker", health: workers() },
    ],
    state: () => {
      if (isFailing(writes())) return "holding";
      return [progress(), workers()].some(isFailing) ? "delayed" : "ready";
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await look();
    }
  }

  async function look(): Promise<void> {
    standing = await queue.standing().catch(() => undefined);
  }

  function writes(): Health {
    const trouble = signs.trouble();
    return trouble === undefined ? READY : failing(trouble);
  }

  function progress(): Health {
    if (standing === undefined) return failing("Redis does not tell");
    if (standing.paused) return failing("it is paused");
    const isOld = standing.oldestWaiting > STANDS_AFTER;
    return isOld && !signs.sees("batch-taken") ? failing("batches wait and nobody takes them") : READY;
  }

  function workers(): Health {
    return signs.sees("worker") ? READY : failing("none can send");
  }
}

function majority({ sight }: Pick<SentinelWatch, "sight">): Health {
  const { agreeing, configured } = sight();
  return isMajority(sight()) ? READY : failing(`${agreeing} of ${configured} in sight`);
}
