import { type CanaryDelivery, type CanaryEvent, type CanaryReply, type Clock } from "@reveille/wakeup";
import { Histogram, type Registry } from "prom-client";

import { allOf, bounded, closedCounter, combinations, gauge, inSeconds } from "./instruments.ts";

const REPLIES = allOf<CanaryReply>({
  accepted: true,
  later: true,
  forget: true,
  none: true,
  "front-failed": true,
});
const DELIVERIES = allOf<CanaryDelivery>({ delivered: true, refused: true, unseen: true, unwatched: true });
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

/** What a canary counts, by the hostname it publishes to. Its series are there once the configuration is read. */
export function canaryMetrics(registry: Registry, clock: Clock) {
  const publishes = closedCounter<"hostname" | "reply">(registry, {
    name: "reveille_canary_publishes_total",
    help: "Publishes of a canary by how the hostname answered; front-failed: the canary's own front did not take it.",
    labels: ["hostname", "reply"],
    children: [],
  });
  const deliveries = closedCounter<"hostname" | "delivery">(registry, {
    name: "reveille_canary_deliveries_total",
    help: "Publishes of a canary by what became of the push; unwatched: the canary cannot see it.",
    labels: ["hostname", "delivery"],
    children: [],
  });
  const replyTime = histogram(
    registry,
    "reveille_canary_reply_seconds",
    "Time from a canary's publish to its reply.",
  );
  const deliveryTime = histogram(
    registry,
    "reveille_canary_delivery_seconds",
    "Time from a canary's publish until the push service had accepted the push.",
  );
  const outcome = outcomeGauges(registry, clock);
  const label = bounded();
  const known = new Set<string>();
  const makeVisible = (hostname: string): void => {
    if (known.has(hostname)) return;
    known.add(hostname);
    for (const child of combinations({ hostname: [hostname], reply: REPLIES })) publishes.inc(child, 0);
    for (const child of combinations({ hostname: [hostname], delivery: DELIVERIES }))
      deliveries.inc(child, 0);
    replyTime.zero({ hostname });
    deliveryTime.zero({ hostname });
  };

  return (event: CanaryEvent): void => {
    const hostname = label(event.hostname);
    makeVisible(hostname);
    publishes.inc({ hostname, reply: event.reply });
    deliveries.inc({ hostname, delivery: event.delivery });
    if (event.replyTook !== undefined) replyTime.observe({ hostname }, inSeconds(event.replyTook));
    if (event.deliveryTook !== undefined) deliveryTime.observe({ hostname }, inSeconds(event.deliveryTook));
    outcome(hostname, event);
  };
}

function outcomeGauges(registry: Registry, clock: Clock) {
  const ok = gauge(registry, {
    name: "reveille_canary_ok",
    help: "1 if the newest publish that the canary's front took was answered and delivered as it should be, else 0.",
    labels: ["hostname"],
    aggregator: "min",
  });
  const success = gauge(registry, {
    name: "reveille_canary_last_success_timestamp_seconds",
    help: "When the newest publish of the canary that was answered and delivered as it should be settled, in seconds since 1970.",
    labels: ["hostname"],
    aggregator: "max",
  });
  return (hostname: string, event: CanaryEvent): void => {
    if (event.ok) success.set({ hostname }, inSeconds(clock.now()));
    // A front that fails says nothing of the hostname.
    if (event.reply !== "front-failed") ok.set({ hostname }, event.ok ? 1 : 0);
  };
}

const histogram = (registry: Registry, name: string, help: string): Histogram<"hostname"> =>
  new Histogram({ name, help, labelNames: ["hostname"], buckets: BUCKETS, registers: [registry] });
