import { type Random } from "./random.ts";

/** How long an answer takes, in milliseconds. */
export type Latency =
  | { readonly kind: "fixed"; readonly ms: number }
  | { readonly kind: "uniform"; readonly from: number; readonly to: number }
  /** Half of the answers take longer than `median`; `sigma` 0.5 puts the 99th percentile at 3.2 medians. */
  | { readonly kind: "log-normal"; readonly median: number; readonly sigma: number };

/** One sample, in milliseconds. */
export function sampleLatency(latency: Latency, random: Random): number {
  switch (latency.kind) {
    case "fixed":
      return latency.ms;
    case "uniform":
      return latency.from + random.next() * (latency.to - latency.from);
    case "log-normal":
      return latency.median * Math.exp(latency.sigma * random.normal());
  }
}
