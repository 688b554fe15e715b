import { type EpochMillis, type Millis, type PushModule } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { gauge, inSeconds } from "./instruments.ts";

/** A fact that is not told by an event but read when somebody asks. Region-wide unless said otherwise. */
export type Reading =
  | {
      readonly kind: "queue";
      readonly waiting: number;
      readonly active: number;
      readonly delayed: number;
      /** Age of the oldest wakeup that waits; 0 if none does. */
      readonly oldest: Millis;
    }
  /** Devices whose trailing push waits for its time. */
  | { readonly kind: "trailing"; readonly devices: number }
  /** Publishes that this ingress holds unanswered while Redis is away. */
  | { readonly kind: "held"; readonly publishes: number }
  | { readonly kind: "redis-memory"; readonly used: number; readonly limit: number }
  | { readonly kind: "credential"; readonly module: PushModule; readonly expiresAt: EpochMillis };

/** Makes the gauges show these readings and nothing else. */
export function readingGauges(registry: Registry) {
  // Every process of the region reads the same numbers, so the sidecar takes the greatest instead of the sum.
  const regionWide = "max";
  const batches = gauge(registry, {
    name: "reveille_queue_batches",
    help: "Batches in the region's queue by state.",
    labels: ["state"],
    aggregator: regionWide,
  });
  const oldest = gauge(registry, {
    name: "reveille_queue_oldest_seconds",
    help: "Age of the oldest wakeup that waits in the region's queue.",
    labels: [],
    aggregator: regionWide,
  });
  const trailing = gauge(registry, {
    name: "reveille_trailing_devices",
    help: "Devices of the region whose trailing push waits for its time.",
    labels: [],
    aggregator: regionWide,
  });
  const held = gauge(registry, {
    name: "reveille_held_publishes",
    help: "Publishes held unanswered while Redis is away.",
    labels: [],
    aggregator: "sum",
  });
  const memory = gauge(registry, {
    name: "reveille_redis_memory_bytes",
    help: "Memory of the region's Redis: used, and its limit (0: none).",
    labels: ["kind"],
    aggregator: regionWide,
  });
  const credential = gauge(registry, {
    name: "reveille_credential_expiry_timestamp_seconds",
    help: "When the credential in use for a module expires, in seconds since 1970.",
    labels: ["module"],
    aggregator: "min",
  });

  return (readings: readonly Reading[]): void => {
    // prom-client sets a gauge without labels to 0 when it is reset; only removing makes it vanish.
    for (const each of [batches, memory, credential]) each.reset();
    for (const each of [oldest, trailing, held]) each.remove();
    for (const reading of readings) {
      switch (reading.kind) {
        case "queue":
          batches.set({ state: "waiting" }, reading.waiting);
          batches.set({ state: "active" }, reading.active);
          batches.set({ state: "delayed" }, reading.delayed);
          oldest.set(inSeconds(reading.oldest));
          break;
        case "trailing":
          trailing.set(reading.devices);
          break;
        case "held":
          held.set(reading.publishes);
          break;
        case "redis-memory":
          memory.set({ kind: "used" }, reading.used);
          memory.set({ kind: "limit" }, reading.limit);
          break;
        case "credential":
          credential.set({ module: reading.module }, inSeconds(reading.expiresAt));
          break;
      }
    }
  };
}
