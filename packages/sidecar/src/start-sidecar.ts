import { type AddressInfo } from "node:net";

import { type Clock, type MetricFamily, type Observe, seconds } from "@reveille/wakeup";

import { type Merge } from "./departed.ts";
import { Host } from "./host.ts";
import { type MetricsFormat } from "./metrics-format.ts";
import { readinessOf } from "./readiness.ts";
import { sidecarApp } from "./sidecar-app.ts";
import { Steady } from "./steady.ts";

/** How metrics are put together and written; the sidecar itself knows no metrics library. */
export interface MetricsPort {
  readonly merge: Merge;
  readonly render: (families: readonly MetricFamily[], format: MetricsFormat) => string;
  readonly contentTypes: Readonly<Record<MetricsFormat, string>>;
  /** Those of the sidecar itself: its process, and what it tells to `observe`. */
  readonly own: () => Promise<readonly MetricFamily[]>;
}

export interface SidecarOptions {
  /** Who this is, for people. */
  readonly region: string;
  readonly host: string;
  readonly version: string;
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the roles have their sockets; may be missing until the first one starts. */
  readonly runtimeDir: string;
  readonly metrics: MetricsPort;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** A running sidecar. Disposing stops it. */
export interface Sidecar extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
}

const POLL_EVERY = seconds(1);

/** Serves metrics and health of this host's roles. Resolves when it listens and has seen every role once. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { listen, region, host: name, version, runtimeDir, metrics, clock, observe } = options;
  const host = new Host({ runtimeDir, clock, merge: metrics.merge, observe });
  const steady = new Steady();
  const poll = async (): Promise<void> => {
    await host.poll();
    const turned = steady.take(readinessOf(host.processes), clock.monotonic());
    if (turned) observe({ kind: "readiness-changed", ...steady.shown });
  };

  const app = sidecarApp({
    about: { region, host: name, version },
    readiness: () => steady.shown,
    metrics: async (format) => {
      await poll();
      return metrics.render(metrics.merge([...host.metrics, await metrics.own()]), format);
    },
    contentTypes: metrics.contentTypes,
  });

  await poll();
  await app.listen(listen);
  const stop = new AbortController();
  const polling = pollUntil(stop.signal, poll, clock);
  return {
    address: addressOf(app.server.address()),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await polling;
      await app.close();
    },
  };
}

function addressOf(address: AddressInfo | string | null): Sidecar["address"] {
  if (address === null || typeof address === "string") throw new Error("the sidecar listens on no port");
  return { host: address.address, port: address.port };
}

async function pollUntil(stop: AbortSignal, poll: () => Promise<void>, clock: Clock): Promise<void> {
  const stopped = (): boolean => stop.aborted;
  while (!stopped()) {
    await clock.sleep(POLL_EVERY, stop);
    if (!stopped()) await poll();
  }
}
