import {
  type Clock,
  type EpochMillis,
  type MetricFamily,
  type Millis,
  type Observe,
  seconds,
} from "@reveille/wakeup";

import { type ReportDetail } from "./ask-role.ts";
import { type Merge } from "./departed.ts";
import { Host } from "./host.ts";
import { livenessOf } from "./liveness.ts";
import { type MetricsFormat } from "./metrics-format.ts";
import { lackingOf, patienceWith, readinessOf } from "./readiness.ts";
import { type SidecarAnswers } from "./sidecar-app.ts";
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

export interface WatchOptions {
  /** Who this is, for people. */
  readonly region: string;
  readonly host: string;
  readonly version: string;
  /** Where the roles have their sockets; may be missing until the first one starts. */
  readonly runtimeDir: string;
  readonly metrics: MetricsPort;
  /** Names of the components at the front of this host, as the ingress has them; any other is at another host's. */
  readonly ownComponents?: readonly string[];
  /** What `GET /metrics` wants as bearer token. */
  readonly metricsToken?: string;
  /** When the first of the fronts' certificates expires, as far as anybody looks. From memory. */
  readonly certificateExpiresAt?: () => EpochMillis | undefined;
  /** Why users' servers refuse it. From memory. */
  readonly certificateTrouble?: () => string | undefined;
  readonly clock: Clock;
  readonly observe: Observe;
}

const STATUS_EVERY = seconds(1);

/** What the sidecar knows, and how it learns more. */
export interface Watch {
  readonly answers: SidecarAnswers;
  readonly pollHealth: () => Promise<void>;
  readonly pollAll: () => Promise<void>;
}

/** Sees nothing until it polls. */
export function watchHost(options: WatchOptions): Watch {
  const { region, host: name, version, runtimeDir, metrics, metricsToken, clock, observe } = options;
  const about = { region, host: name, version };
  const host = new Host({ runtimeDir, clock, merge: metrics.merge, observe });
  const steady = new Steady();
  const history = new History();
  // A role that hangs has been silent since it was asked, not since we gave up waiting.
  const facts = () => ({
    processes: host.processes,
    trouble: host.trouble,
    draining: host.draining,
    certificateTrouble: options.certificateTrouble?.(),
  });
  const judge = (askedAt: Millis): void => {
    const turned = steady.take(readinessOf(facts()), askedAt, patienceWith(host));
    if (turned) observe({ kind: "readiness-changed", ...steady.shown });
  };
  const poll = async (detail: ReportDetail): Promise<void> => {
    const askedAt = clock.monotonic();
    await host.poll(detail);
    judge(askedAt);
  };
  const everything = shared(async () => {
    await poll("all");
    history.take(snapshotOf(host.growth, clock.now(), clock.monotonic()));
  });
  const status = atMostEvery(STATUS_EVERY, clock, () =>
    statusOf({
      about,
      at: clock.now(),
      ready: steady.shown.ready,
      lacking: lackingOf(facts()),
      ownComponents: options.ownComponents,
      certificateExpiresAt: options.certificateExpiresAt?.(),
      processes: host.processes,
      families: host.metrics,
      history,
    }),
  );
  const answers: SidecarAnswers = {
    about,
    readiness: () => steady.shown,
    liveness: (role) => livenessOf(role, host),
    status,
    page: atMostEvery(STATUS_EVERY, clock, () => statusPage(status())),
    metrics: async (format) => {
      await everything.run();
      return metrics.render(metrics.merge([...host.metrics, await metrics.own()]), format);
    },
    contentTypes: metrics.contentTypes,
    metricsToken,
  };
  return { answers, pollHealth: () => everything.inHand() ?? poll("health"), pollAll: everything.run };
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

interface Shared {
  readonly run: () => Promise<void>;
  /** The run that has not ended yet. */
  readonly inHand: () => Promise<void> | undefined;
}

/** One run at a time: who calls meanwhile gets the end of the run in hand. */
function shared(run: () => Promise<void>): Shared {
  let inHand: Promise<void> | undefined;
  return {
    run: () => (inHand ??= run().finally(() => (inHand = undefined))),
    inHand: () => inHand,
  };
}
