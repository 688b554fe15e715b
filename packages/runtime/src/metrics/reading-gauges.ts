import { type Registry } from "prom-client";

import { gauge, inSeconds } from "./instruments.ts";
import { type Reading } from "./reading.ts";
import { redisGauges } from "./redis-gauges.ts";

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
    help: "Age of the oldest batch in the region's queue, be it waiting, in a worker's hand or put off, or how long the first trailing push has been due.",
    labels: [],
    aggregator: regionWide,
  });
  const trailing = gauge(registry, {
    name: "reveille_trailing_devices",
    help: "Devices of the region whose trailing push waits for its time.",
    labels: [],
    aggregator: regionWide,
  });
  const dead = gauge(registry, {
    name: "reveille_dead_devices",
    help: "Devices of the region that are remembered as dead because the push service said so.",
    labels: [],
    aggregator: regionWide,
  });
  const held = gauge(registry, {
    name: "reveille_held_publishes",
    help: "Publishes held unanswered while Redis is away.",
    labels: [],
    aggregator: "sum",
  });
  const domains = gauge(registry, {
    name: "reveille_sending_domains",
    help: "Domains that published within two hours, by whether the last ping to them was answered, or found their server `unreached`, so that replies to them are lost.",
    labels: ["replies"],
    // One domain may publish to several ingresses.
    aggregator: "max",
  });
  const redis = redisGauges(registry);
  const credential = gauge(registry, {
    name: "reveille_credential_expiry_timestamp_seconds",
    help: "When the credential in use for a module expires, in seconds since 1970.",
    labels: ["module"],
    aggregator: "min",
  });

  return (readings: readonly Reading[]): void => {
    // prom-client sets a gauge without labels to 0 when it is reset; only removing makes it vanish.
    redis.clear();
    for (const each of [batches, domains, credential]) each.reset();
    for (const each of [oldest, trailing, dead, held]) each.remove();
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
        case "dead":
          dead.set(reading.devices);
          break;
        case "held":
          held.set(reading.publishes);
          break;
        case "replies":
          domains.set({ replies: "reached" }, reading.reached);
          domains.set({ replies: "unreached" }, reading.unreached);
          break;
        case "redis":
          redis.show(reading);
          break;
        case "front":
          break;
        case "sentinels":
          redis.showSentinels(reading);
          break;
        case "credential":
          credential.set({ module: reading.module }, inSeconds(reading.expiresAt));
          break;
      }
    }
  };
}
