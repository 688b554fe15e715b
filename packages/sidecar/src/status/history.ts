import { type EpochMillis, type Millis, minutes, seconds } from "@reveille/wakeup";

import { METRICS } from "./metric-names.ts";
import { type Buckets, bucketsOf, type Families, quantile, sumOf, sumsBy, valuesOf } from "./series.ts";

/** What had been counted at one moment. */
export interface Snapshot {
  /** Monotonic. */
  readonly elapsed: Millis;
  readonly at: EpochMillis;
  readonly publishes: number;
  /** Those of them that became a wakeup. */
  readonly accepted: number;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly latency: Buckets;
}

/** What happened between two moments, per second. */
export interface Point {
  /** End of the time, epoch milliseconds. */
  readonly at: EpochMillis;
  /** Length of the time: about a step, more if the sidecar stood still meanwhile. */
  readonly seconds: number;
  readonly publishesPerSecond: number;
  /** Publishes that became a wakeup: queued, merged into another, or to leave later. */
  readonly acceptedPerSecond: number;
  /** By outcome (`delivered`, `token-dead`, …). */
  readonly outcomesPerSecond: Readonly<Record<string, number>>;
  /** From publish to the push service's acceptance, in seconds; `null` if nothing was delivered. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
}

export const STEP = seconds(30);
const KEPT = minutes(60);
/** Rates "now" are over this time. */
const RECENT = seconds(10);

const ACCEPTED = ["queued", "later", "merged"];

export function snapshotOf(families: Families, at: EpochMillis, elapsed: Millis): Snapshot {
  const publishes = valuesOf(families, METRICS.publishes);
  return {
    elapsed,
    at,
    publishes: sumOf(publishes),
    accepted: sumOf(publishes.filter(({ labels }) => ACCEPTED.includes(String(labels["result"])))),
    outcomes: sumsBy(valuesOf(families, METRICS.deliveries), "outcome"),
    latency: bucketsOf(families, METRICS.latency),
  };
}

/** The last hour in steps of half a minute, and the last seconds. */
export class History {
  #recent: readonly Snapshot[] = [];
  #mark: Snapshot | undefined;
  #since: EpochMillis | undefined;
  #points: readonly Point[] = [];

  /** One after the other, without gaps; the first begins an hour ago, or at `since` if that was later. */
  get points(): readonly Point[] {
    return this.#points;
  }

  /** When the first snapshot was taken. What was before that nobody here knows; `undefined` until then. */
  get since(): EpochMillis | undefined {
    return this.#since;
  }

  /** The last seconds; `undefined` until two snapshots were taken. */
  get now(): Point | undefined {
    const [first, last] = [this.#recent.at(0), this.#recent.at(-1)];
    return first === undefined || last === undefined || first === last
      ? undefined
      : pointBetween(first, last);
  }

  take(snapshot: Snapshot): void {
    this.#recent = [...this.#recent.filter(({ elapsed }) => snapshot.elapsed - elapsed <= RECENT), snapshot];
    this.#mark ??= snapshot;
    this.#since ??= snapshot.at;
    if (snapshot.elapsed - this.#mark.elapsed < STEP) return;
    this.#points = lastHourOf([...this.#points, pointBetween(this.#mark, snapshot)]);
    this.#mark = snapshot;
  }
}

/** The newest points that fill an hour. Counted by their lengths: clocks are set now and then. */
function lastHourOf(points: readonly Point[]): readonly Point[] {
  let left: number = KEPT / 1_000;
  const first = points.findLastIndex(({ seconds: length }) => {
    left -= length;
    return left <= 0;
  });
  return points.slice(Math.max(0, first));
}

function pointBetween(from: Snapshot, to: Snapshot): Point {
  const duration = (to.elapsed - from.elapsed) / 1_000;
  const rate = (before: number, after: number): number => rounded(Math.max(0, after - before) / duration);
  const before = new Map(from.latency);
  const latency = to.latency.map(([bound, count]): readonly [number, number] => [
    bound,
    count - (before.get(bound) ?? 0),
  ]);
  return {
    at: to.at,
    seconds: rounded(duration),
    publishesPerSecond: rate(from.publishes, to.publishes),
    acceptedPerSecond: rate(from.accepted, to.accepted),
    outcomesPerSecond: Object.fromEntries(
      [...to.outcomes].map(([outcome, count]) => [outcome, rate(from.outcomes.get(outcome) ?? 0, count)]),
    ),
    latencyP50: rounded(quantile(latency, 0.5)),
    latencyP99: rounded(quantile(latency, 0.99)),
  };
}

function rounded(value: number): number;
function rounded(value: number | undefined): number | null;
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(4));
}
