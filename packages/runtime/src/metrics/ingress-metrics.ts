import {
  type IngressEvent,
  type PublishResult,
  type PushModule,
  type ReplyKind,
  type VerdictKind,
} from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { componentMetrics } from "./component-metrics.ts";
import {
  allOf,
  closedCounter,
  combinations,
  gauge,
  inSeconds,
  makeVisible,
  plainCounter,
  plainHistogram,
} from "./instruments.ts";

type EventOf<Kind extends IngressEvent["kind"]> = Extract<IngressEvent, { kind: Kind }>;

const RESULTS = allOf<PublishResult>({
  queued: true,
  later: true,
  merged: true,
  "token-dead": true,
  "no-device-token": true,
  "unknown-module": true,
  "module-changed": true,
  malformed: true,
  "over-limit": true,
  "over-budget": true,
  blocked: true,
  "not-a-server": true,
  overload: true,
  draining: true,
  "our-trouble": true,
});
const REPLIES = allOf<ReplyKind>({ accepted: true, later: true, forget: true });
const VERDICTS = allOf<VerdictKind>({
  now: true,
  later: true,
  merged: true,
  dead: true,
  "over-limit": true,
  "over-budget": true,
});
const QUERIES = allOf<EventOf<"query-answered">["query"]>({
  "disco-info": true,
  "disco-items": true,
  ping: true,
  version: true,
  command: true,
  unsupported: true,
  "over-limit": true,
});
const STANZAS = allOf<EventOf<"stanza-ignored">["stanza"]>({
  message: true,
  presence: true,
  iq: true,
  other: true,
});
const SOFTWARE = allOf<EventOf<"clear-content-seen">["software"]>({
  prosody: true,
  ejabberd: true,
  mongooseim: true,
  openfire: true,
  tigase: true,
  other: true,
});

const REPLY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const FLUSH_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const FLUSH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

/** What the ingress counts. */
export function ingressMetrics(registry: Registry) {
  const publish = publishMetrics(registry);
  const stanza = stanzaMetrics(registry);
  const flush = flushMetrics(registry);
  const component = componentMetrics(registry);

  const observe = (event: IngressEvent): void => {
    switch (event.kind) {
      case "wakeup-admitted":
        publish.wakeups.inc({ module: event.wakeup.module, verdict: event.verdict });
        return;
      case "publish-answered":
        publish.answered(event);
        return;
      case "query-answered":
        stanza.queries.inc({ query: event.query });
        return;
      case "oversized-stanza-skipped":
        stanza.oversized.inc({ answered: event.isAnswered ? "yes" : "no" });
        return;
      case "dead-device-remembered":
        publish.remembered.inc();
        return;
      case "reply-probed":
        stanza.probes.inc({ result: event.isReached ? "reached" : "unreached" });
        return;
      case "stanza-ignored":
        stanza.ignored.inc({ stanza: event.stanza });
        return;
      case "flush-settled":
        flush(event);
        return;
      case "component-state-changed":
        component.changed(event);
        return;
      case "clear-content-seen":
        publish.inClear.inc({ software: event.software });
        return;
      case "registration-guard-changed":
        publish.guard.set({ scope: event.scope }, event.doubted);
        return;
      case "self-ping-settled":
        component.pinged(event);
        return;
    }
  };
  return { observe, showModule: publish.showModule };
}

function publishMetrics(registry: Registry) {
  const publishes = closedCounter(registry, {
    name: "reveille_publishes_total",
    help: "Publishes answered, by why they got their reply.",
    labels: ["result"],
    children: combinations({ result: RESULTS }),
  });
  const replies = closedCounter(registry, {
    name: "reveille_replies_total",
    help: "Replies to publishes by what the sender is told; `forget` ends a registration.",
    labels: ["reply"],
    children: combinations({ reply: REPLIES }),
  });
  const replyTime = plainHistogram(
    registry,
    "reveille_reply_seconds",
    "Time from reading a publish to its reply.",
    REPLY_BUCKETS,
  );
  const wakeups = closedCounter<"module" | "verdict">(registry, {
    name: "reveille_wakeups_total",
    help: "Wakeups by module and admission's verdict.",
    labels: ["module", "verdict"],
    children: [],
  });
  const guard = gauge(registry, {
    name: "reveille_registration_guard",
    help: "Modules, and pairs of domain and module, for which an ingress answers `wait` where a reply would end a registration.",
    labels: ["scope"],
    aggregator: "max",
  });
  for (const scope of ["module", "domain"]) guard.set({ scope }, 0);
  return {
    answered: ({ result, reply, took }: EventOf<"publish-answered">): void => {
      publishes.inc({ result });
      replies.inc({ reply });
      replyTime.observe(inSeconds(took));
    },
    wakeups,
    showModule: (module: PushModule): void =>
      makeVisible(wakeups, combinations({ module: [module], verdict: VERDICTS })),
    inClear: closedCounter(registry, {
      name: "reveille_clear_content_total",
      help: "Publishes that carried the sender's address or text of the message in clear (dropped unread), by sending software.",
      labels: ["software"],
      children: combinations({ software: SOFTWARE }),
    }),
    remembered: plainCounter(
      registry,
      "reveille_dead_device_hits_total",
      "Publishes for devices that admission had just called dead, answered from memory.",
    ),
    guard,
  };
}

const stanzaMetrics = (registry: Registry) => ({
  queries: closedCounter(registry, {
    name: "reveille_queries_total",
    help: "Queries answered (service discovery, ping, version, ad-hoc commands).",
    labels: ["query"],
    children: combinations({ query: QUERIES }),
  }),
  oversized: closedCounter(registry, {
    name: "reveille_oversized_stanzas_total",
    help: "Stanzas larger or deeper than a publish can be, whose content was skipped: answered with `wait`, or not if they asked nothing or their addresses were skipped, too.",
    labels: ["answered"],
    children: combinations({ answered: ["yes", "no"] }),
  }),
  probes: closedCounter(registry, {
    name: "reveille_reply_probes_total",
    help: "Pings to sending domains, one an hour for each: answered by their server, or `unreached`, so replies are lost, too.",
    labels: ["result"],
    children: combinations({ result: ["reached", "unreached"] }),
  }),
  ignored: closedCounter(registry, {
    name: "reveille_ignored_stanzas_total",
    help: "Stanzas that get no answer.",
    labels: ["stanza"],
    children: combinations({ stanza: STANZAS }),
  }),
});

function flushMetrics(registry: Registry) {
  const time = plainHistogram(
    registry,
    "reveille_flush_seconds",
    "Time of one round of admission and queue for a micro-batch.",
    FLUSH_BUCKETS,
  );
  const size = plainHistogram(registry, "reveille_flush_wakeups", "Wakeups in one micro-batch.", FLUSH_SIZES);
  const failures = plainCounter(
    registry,
    "reveille_flush_failures_total",
    "Micro-batches that could not be admitted.",
  );
  return ({ took, wakeups, ok }: EventOf<"flush-settled">): void => {
    time.observe(inSeconds(took));
    size.observe(wakeups);
    if (!ok) failures.inc();
  };
}
