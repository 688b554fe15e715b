import { type AddressInfo } from "node:net";

import { type Clock, type MetricFamily, type Millis, type Observe, seconds } from "@reveille/wakeup";
import { type FastifyInstance } from "fastify";

import { type Merge } from "./departed.ts";
import { Host } from "./host.ts";
import { type MetricsFormat } from "./metrics-format.ts";
import { readinessOf } from "./readiness.ts";
import { sidecarApp, type SidecarAnswers, statusApp } from "./sidecar-app.ts";
import { History, snapshotOf } from "./status/history.ts";
import { statusPage } from "./status/status-page.ts";
import { statusOf } from "./status/status.ts";
import { Steady } from "./steady.ts";

/** How metrics are put together and written; the sidecar itself knows no metrics library. */
export interface MetricsPort {
  readonly merge: Merge;
  readonly render: (families: readonly MetricFamily[], format: MetricsFormat) => string;
  readonly contentTypes: Readonly<Record<MetricsFormat, string>>;
  /** Those of the sidecar itself: its process, and what it tells to `observe`. */
  readonly own: () => Promise<readonly MetricFamily[]>;
}

export interface Listen {
  readonly host: string;
  readonly port: number;
}

export interface SidecarOptions {
  /** Who this is, for people. */
  readonly region: string;
  readonly host: string;
  readonly version: string;
  /** Port 0: any free one. */
  readonly listen: Listen;
  /** Serves the status page and nothing else, for the public. */
  readonly statusListen?: Listen;
  /** What `GET /metrics` wants as bearer token. */
  readonly metricsToken?: string;
  /** Where the roles have their sockets; may be missing until the first one starts. */
  readonly runtimeDir: string;
  readonly metrics: MetricsPort;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** A running sidecar. Disposing stops it. */
export interface Sidecar extends AsyncDisposable {
  readonly address: Listen;
  readonly statusAddress: Listen | undefined;
}

const POLL_EVERY = seconds(1);
/**
 * Every how many polls the metrics are asked for as well. What a killed process counted after the last time is
 * lost to the sums of the host.
 */
const METRICS_EVERY = 5;

/** Serves metrics, health and status of this host. Resolves when it listens and has seen every role once. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { listen, statusListen, clock } = options;
  const watch = watchHost(options);
  const { answers } = watch;
  await watch.pollAll();
  await using starting = new AsyncDisposableStack();
  const address = await serve(sidecarApp(answers), listen, starting);
  const statusAddress =
    statusListen === undefined ? undefined : await serve(statusApp(answers), statusListen, starting);
  const stop = new AbortController();
  const polling = pollUntil(stop.signal, watch, clock);
  starting.defer(async () => {
    stop.abort();
    await polling;
  });
  const running = starting.move();
  return { address, statusAddress, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What the sidecar knows, and how it learns more. */
interface Watch {
  readonly answers: SidecarAnswers;
  readonly pollHealth: () => Promise<void>;
  readonly pollAll: () => Promise<void>;
}

function watchHost(options: SidecarOptions): Watch {
  const { region, host: name, version, runtimeDir, metrics, metricsToken, clock, observe } = options;
  const about = { region, host: name, version };
  const host = new Host({ runtimeDir, clock, merge: metrics.merge, observe });
  const steady = new Steady();
  const history = new History();
  const judge = (): void => {
    const turned = steady.take(readinessOf(host), clock.monotonic());
    if (turned) observe({ kind: "readiness-changed", ...steady.shown });
  };
  const pollHealth = async (): Promise<void> => {
    await host.poll("health");
    judge();
  };
  const pollAll = shared(async () => {
    await host.poll("all");
    judge();
    history.take(snapshotOf(host.metrics, clock.now(), clock.monotonic()));
  });
  const status = atMostEvery(POLL_EVERY, clock, () =>
    statusOf({
      about,
      at: clock.now(),
      ready: steady.shown.ready,
      processes: host.processes,
      families: host.metrics,
      history,
    }),
  );
  const answers: SidecarAnswers = {
    about,
    readiness: () => steady.shown,
    status,
    page: atMostEvery(POLL_EVERY, clock, () => statusPage(status())),
    metrics: async (format) => {
      await pollAll();
      return metrics.render(metrics.merge([...host.metrics, await metrics.own()]), format);
    },
    contentTypes: metrics.contentTypes,
    metricsToken,
  };
  return { answers, pollHealth, pollAll };
}

/** The public may ask as often as it likes: an answer is made at most once in `pause`. */
function atMostEvery<Answer>(pause: Millis, clock: Clock, make: () => Answer): () => Answer {
  let last: { readonly answer: Answer; readonly madeAt: Millis } | undefined;
  return () => {
    const now = clock.monotonic();
    if (last === undefined || now - last.madeAt >= pause) last = { answer: make(), madeAt: now };
    return last.answer;
  };
}

/** One run at a time: who calls meanwhile gets the end of the run in hand. */
function shared(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run().finally(() => (running = undefined));
    return running;
  };
}

async function serve(app: FastifyInstance, listen: Listen, stack: AsyncDisposableStack): Promise<Listen> {
  stack.defer(() => app.close());
  await app.listen(listen);
  return addressOf(app.server.address());
}

function addressOf(address: AddressInfo | string | null): Listen {
  if (address === null || typeof address === "string") throw new Error("the sidecar listens on no port");
  return { host: address.address, port: address.port };
}

async function pollUntil(stop: AbortSignal, { pollHealth, pollAll }: Watch, clock: Clock): Promise<void> {
  const stopped = (): boolean => stop.aborted;
  for (let round = 1; !stopped(); round += 1) {
    await clock.sleep(POLL_EVERY, stop);
    if (stopped()) return;
    await (round % METRICS_EVERY === 0 ? pollAll() : pollHealth());
  }
}
