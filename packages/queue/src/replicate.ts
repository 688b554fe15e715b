import { type Clock, millis, type Observe, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";

export interface ReplicationOptions {
  /** From `openProducerRedis`. Stays the caller's. */
  readonly redis: Redis;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Replicas that must have a batch before it counts as accepted; default 0. Too few of them is told, not refused. */
  readonly waitReplicas?: number;
  /**
   * Asked when replicas are missing: does a majority of the Sentinels agree on a primary? Where it does not, this host may
   * be cut off, and what its primary takes is lost as soon as another one is chosen: nothing is accepted then.
   */
  readonly sentinelsAgree?: (() => Promise<boolean>) | undefined;
}

/** Longest wait for replicas; `add` must answer within a second. */
const REPLICAS_WITHIN_MS = 100;

/** So long nobody waits for replicas that were just found missing: the wait would be most of what a flush takes. */
const DO_WITHOUT = seconds(1);

/**
 * Makes what waits until all that was written by the connection is in the replicas. Too few of them are told, and done
 * without for a second, unless the Sentinels do not agree: it throws then.
 */
export function replicateBy({
  redis,
  clock,
  observe,
  waitReplicas = 0,
  sentinelsAgree,
}: ReplicationOptions): () => Promise<void> {
  let doWithoutUntil = millis(0);
  return async () => {
    if (waitReplicas === 0 || clock.monotonic() < doWithoutUntil) return;
    const replicas = await redis.wait(waitReplicas, REPLICAS_WITHIN_MS);
    if (replicas >= waitReplicas) return;
    observe({ kind: "replicas-missing", wanted: waitReplicas, replicas });
    if (sentinelsAgree !== undefined && !(await sentinelsAgree())) {
      throw new Error("no replica has it, and this host sees no majority of the Sentinels");
    }
    doWithoutUntil = millis(clock.monotonic() + DO_WITHOUT);
  };
}
