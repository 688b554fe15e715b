import { type Clock, millis, seconds } from "@reveille/wakeup";
import { type Registry } from "prom-client";

import { frontGauges } from "./front-metrics.ts";
import { readingGauges } from "./reading-gauges.ts";
import { type Reading } from "./reading.ts";

/** Reads facts; may throw or hang, then their gauges vanish until it works again. */
export type ReadFacts = () => Promise<readonly Reading[]> | readonly Reading[];

/** A region-wide gauge costs Redis a call in each process: no need to read it at every poll of the sidecar. */
const KEEP = seconds(5);
const PATIENCE = millis(500);

/** Gauges that are read when the metrics are, at most every 5 s, each with half a second of patience. */
export function readingMetrics(registry: Registry, role: "front" | "ingress" | "worker", clock: Clock) {
  const show = role === "front" ? frontReadings(registry) : readingGauges(registry);
  const readers: ReadFacts[] = [];
  let readAt: number | undefined;
  return {
    add: (read: ReadFacts): void => {
      readers.push(read);
      readAt = undefined;
    },
    refresh: async (): Promise<void> => {
      const now = clock.monotonic();
      if (readAt !== undefined && now - readAt < KEEP) return;
      readAt = now;
      const facts = await Promise.all(readers.map((read) => withPatience(read, clock)));
      show(facts.flat());
    },
  };
}

function frontReadings(registry: Registry) {
  const gauges = frontGauges(registry);
  return (readings: readonly Reading[]): void => {
    gauges.hide();
    for (const reading of readings) if (reading.kind === "front") gauges.show(reading);
  };
}

async function withPatience(read: ReadFacts, clock: Clock): Promise<readonly Reading[]> {
  const done = new AbortController();
  const nothing: readonly Reading[] = [];
  const facts = Promise.resolve()
    .then(read)
    .catch(() => nothing);
  const first = await Promise.race([facts, clock.sleep(PATIENCE, done.signal).then(() => nothing)]);
  done.abort();
  return first;
}
