import { type DispositionKind, type PushModule, type QueueEvent } from "@reveille/wakeup";
import { Histogram, type Registry } from "prom-client";

import { type WorkEvent } from "../by-stage.ts";
import {
  allOf,
  closed,
  closedCounter,
  combinations,
  inSeconds,
  makeVisible,
  plainCounter,
  plainHistogram,
} from "./instruments.ts";
import { outcomeReasons, reasonClass } from "./reason-class.ts";

type EventOf<Kind extends QueueEvent["kind"]> = Extract<QueueEvent, { kind: Kind }>;

const DISPOSITIONS = allOf<DispositionKind>({ done: true, retry: true, "give-up": true });
const DROPS = allOf<EventOf<"wakeup-dropped">["because"]>({ deadline: true, covered: true });

/** From a wakeup that leaves at once to one that waited for its deadline. */
const LATENCY_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 300, 900, 1_800, 3_600,
];
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 5, 10];
const WAIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20, 60, 300, 3_600];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

/** What a worker counts of its work on the queue. */
export function queueMetrics(registry: Registry, modules: ReadonlySet<PushModule>) {
  const batch = batchMetrics(registry);
  const delivery = deliveryMetrics(registry, modules);
  // A queue may still hold wakeups of a module that the configuration no longer has.
  const moduleLabel = closed(modules);
  const dropped = closedCounter<"module" | "because">(registry, {
    name: "reveille_dropped_wakeups_total",
    help: "Wakeups dropped without asking the push service: past their deadline, or covered by a newer push.",
    labels: ["module", "because"],
    children: [],
  });
  const pumped = plainCounter(
    registry,
    "reveille_trailing_pumped_total",
    "Trailing pushes whose time had come and that went into the queue.",
  );

  const restarts = plainCounter(
    registry,
    "reveille_consumer_restarts_total",
    "Times a worker opened a new reader of the queue because the old one made no progress.",
  );
  const unreadable = closedCounter(registry, {
    name: "reveille_unreadable_entries_total",
    help: "Entries found in Redis that no version of ours wrote; they are dropped. Batches of a newer version wait.",
    labels: ["entry"],
    children: combinations({ entry: ["batch", "wakeup", "trailing", "newer-batch"] }),
  });

  const observe = (event: WorkEvent): void => {
    switch (event.kind) {
      case "batch-taken":
        batch.taken(event);
        return;
      case "batch-settled":
        batch.settled(event);
        return;
      case "delivery-settled":
        delivery.settled(event);
        return;
      case "wakeup-dropped":
        dropped.inc({ module: moduleLabel(event.wakeup.module), because: event.because });
        return;
      case "trailing-pumped":
        pumped.inc(event.wakeups);
        return;
      case "batch-failed":
        batch.failed();
        return;
      case "consumer-restarted":
        restarts.inc();
        return;
      case "batch-broken":
        if (event.wakeups === undefined) unreadable.inc({ entry: "batch" });
        else unreadable.inc({ entry: "wakeup" }, event.wakeups);
        return;
      case "batch-newer":
        unreadable.inc({ entry: "newer-batch" });
        return;
      case "trailing-broken":
        unreadable.inc({ entry: "trailing" }, event.members);
        return;
    }
  };
  const showModule = (module: PushModule): void => {
    makeVisible(dropped, combinations({ module: [module], because: DROPS }));
    delivery.showModule(module);
  };
  return { observe, showModule };
}

function batchMetrics(registry: Registry) {
  const taken = plainCounter(registry, "reveille_batches_total", "Batches taken from the queue.");
  const size = plainHistogram(registry, "reveille_batch_wakeups", "Wakeups in a batch taken.", BATCH_SIZES);
  const waited = plainHistogram(
    registry,
    "reveille_batch_age_seconds",
    "Age of the oldest wakeup of a batch when a worker takes it.",
    WAIT_BUCKETS,
  );
  const time = plainHistogram(
    registry,
    "reveille_batch_seconds",
    "Time from taking a batch to its last outcome.",
    REQUEST_BUCKETS,
  );
  const dispositions = closedCounter(registry, {
    name: "reveille_dispositions_total",
    help: "What the queue did with the wakeups of settled batches.",
    labels: ["disposition"],
    children: combinations({ disposition: DISPOSITIONS }),
  });
  const failures = plainCounter(
    registry,
    "reveille_batch_failures_total",
    "Batches that failed as a whole (lock lost, Redis refused, or a mistake of ours) and are tried again.",
  );
  return {
    failed: (): void => failures.inc(),
    taken: (event: EventOf<"batch-taken">): void => {
      taken.inc();
      size.observe(event.wakeups);
      waited.observe(inSeconds(event.waited));
    },
    settled: (event: EventOf<"batch-settled">): void => {
      time.observe(inSeconds(event.took));
      dispositions.inc({ disposition: "done" }, event.done);
      dispositions.inc({ disposition: "retry" }, event.retried);
      dispositions.inc({ disposition: "give-up" }, event.givenUp);
    },
  };
}

function deliveryMetrics(registry: Registry, modules: ReadonlySet<PushModule>) {
  const deliveries = closedCounter<"module" | "outcome" | "reason">(registry, {
    name: "reveille_deliveries_total",
    help: "Answers of the push service (or their absence), by module, outcome and class of reason.",
    labels: ["module", "outcome", "reason"],
    children: [],
  });
  const latency = new Histogram({
    name: "reveille_delivery_latency_seconds",
    help: "Time from reading a publish to the push service's acceptance.",
    labelNames: ["module"],
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  });
  const requestTime = plainHistogram(
    registry,
    "reveille_push_request_seconds",
    "Time from sending a request to the push service to its outcome.",
    REQUEST_BUCKETS,
  );
  const moduleLabel = closed(modules);
  const shown = new Set<PushModule>();
  return {
    settled: ({ wakeup, outcome, age, took }: EventOf<"delivery-settled">): void => {
      const module = moduleLabel(wakeup.module);
      deliveries.inc({ module, outcome: outcome.kind, reason: reasonClass(outcome) });
      requestTime.observe(inSeconds(took));
      if (outcome.kind === "delivered") latency.observe({ module }, inSeconds(age));
    },
    showModule: (module: PushModule): void => {
      makeVisible(
        deliveries,
        outcomeReasons().map((pair) => ({ module, ...pair })),
      );
      // Unlike `inc`, `zero` would take away what was observed.
      if (!shown.has(module)) latency.zero({ module });
      shown.add(module);
    },
  };
}
