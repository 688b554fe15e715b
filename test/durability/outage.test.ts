import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { aToken, startRedis, until } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type Backlog, openBacklog } from "./backlog.ts";
import { answersOf, type Arrival, duplicatesOf, lostOf, repeatsOf } from "./findings.ts";
import { type PushPath, startPushPath } from "./push-path.ts";
import { Publisher } from "./publishing.ts";

const PUBLISHES = Number(process.env["DURABILITY_OUTAGE_PUBLISHES"] ?? 100_000);
const DEVICES = Number(process.env["DURABILITY_OUTAGE_DEVICES"] ?? 5_000);
const RATE = Number(process.env["DURABILITY_OUTAGE_RATE"] ?? 2_500);
/** What the front may have in hand: on a slow machine it takes fewer than {@link RATE}, and they wait before it. */
const MOST_UNANSWERED = 1_000;
const WINDOW_MS = 2_000;
/**
 * A push is on its way for 5 to 50 ms, and longer when a worker is kept from the processor, so two that left a window
 * apart may arrive a little closer. Those that came too soon by a mistake did so by more than a second.
 */
const MOST_JITTER_MS = 400;
/** Two pushes of a device that arrive closer than this are too close, however long this process stood still. */
const LEAST_SPACING_MS = 500;
/** Share of the rate of pushes before the outage with which the backlog has to leave. Measured: 1.1 to 2. */
const LEAST_DRAIN = 0.8;
/** The push service comes back after this share of the publishes. */
const BACK_AMID = 0.6;
/** Publishes go on for this long after the first push, so that each device is due more than once. */
const AMID_MS = 3 * WINDOW_MS;
const DRAINED_WITHIN_MS = Math.max(120_000, 20 * 60_000 * Number(PUBLISHES > 10_000));
const TIMEOUT_MS = ((PUBLISHES / RATE) * 1_000 + 120_000) * 4;

/**
 * An hour's 100,000 publishes over 5,000 devices, in 40 s or as fast as the front takes them, with a window of 2 s
 * instead of 20. At an hour's pace: DURABILITY_OUTAGE_RATE=28.
 */
describe("a region whose push service is away", () => {
  it(
    "wakes each device once per window when it is back",
    async () => {
      await using scene = await aRegion();
      const { path, backlog } = scene;
      await path.apns.stop();
      const publisher = aPublisher(path);
      const startedAt = Date.now();
      await publisher.run();
      await repliesOf(publisher);
      const waiting = await backlog.size();

      const back = await comeBack(scene);
      await backlog.drained(DRAINED_WITHIN_MS);
      const found = { outage: back.at - startedAt, waiting, ...findings(scene, publisher, back) };
      process.stdout.write(`outage: ${JSON.stringify(found, undefined, 1)}\n`);
      expect(found).toMatchObject({ answers: { result: PUBLISHES }, lost: 0, duplicates: 0, mishaps: [] });
      expect(found.pushesPerSecond.draining).toBeGreaterThan(LEAST_DRAIN * scene.steadyRate);
      // The pause that a wakeup may have been in when the push service came back, then all of them at their rate.
      const pause = found.outage < 21_000 ? seconds(16) : seconds(60);
      expect(found.allWokenAfter).toBeLessThan(pause + (1_000 * DEVICES) / (LEAST_DRAIN * scene.steadyRate));
    },
    TIMEOUT_MS,
  );

  // Seen to fail: with windows that count from the clearance (2,755 pushes too soon), with what a worker knows of the
  // backlog from before (274), and with fresh batches in front that don't say so (1,430).
  it(
    "wakes each device once per window when it is back while publishes go on",
    async () => {
      await using scene = await aRegion();
      const { path, backlog } = scene;
      await path.apns.stop();
      const { pushes } = path.apns.ledger;
      const before = pushes.length;
      // When the first push leaves is up to the pause that its worker is in.
      const isAmid = (): boolean => Date.now() < (pushes[before]?.receivedAt ?? Infinity) + AMID_MS;
      const publisher = aPublisher(path, isAmid);
      const running = publisher.run();
      await sleep(BACK_AMID * (PUBLISHES / RATE) * 1_000);

      const back = await comeBack(scene);
      await running;
      await repliesOf(publisher);
      await backlog.drained(DRAINED_WITHIN_MS);
      const found = findings(scene, publisher, back);
      process.stdout.write(`outage amid publishes: ${JSON.stringify(found, undefined, 1)}\n`);
      const answers = { result: publisher.journal().length };
      expect(found).toMatchObject({ answers, lost: 0, duplicates: 0, mishaps: [] });
      expect(found.mostPerDevice).toBeGreaterThan(1);
    },
    TIMEOUT_MS,
  );
});

interface Scene extends AsyncDisposable {
  readonly path: PushPath;
  readonly backlog: Backlog;
  /** Pushes per second while nothing is wrong. */
  readonly steadyRate: number;
  /** How long this process, which notes when a push arrives, did something else. */
  readonly lag: ReturnType<typeof monitorEventLoopDelay>;
}

/** With its push service at work, and seen to be. */
async function aRegion(): Promise<Scene> {
  const parts = new AsyncDisposableStack();
  const redis = parts.use(await startRedis(["--appendonly", "yes", "--maxmemory-policy", "noeviction"]));
  const url = `redis+unix://${redis.path}`;
  const settings = { name: "outage", redis: { url }, windowMs: WINDOW_MS, ingresses: 1, workers: 2 };
  const path = parts.use(await startPushPath(settings));
  const { domains, server, apns } = path;
  const backlog = parts.use(await openBacklog({ url }));

  const steady = new Publisher({
    server,
    rate: 2 * RATE,
    target: (index) =>
      index === DEVICES ? undefined : { token: aToken(`steady ${index}`), to: domains[0] ?? "" },
  });
  await steady.run();
  await until(() => (apns.ledger.pushes.length >= DEVICES ? true : undefined), {
    what: "a push to each device",
    withinMs: 120_000,
  });
  const steadyRate = rateOf(apns.ledger.pushes);
  await backlog.drained(60_000);
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  parts.defer(() => void lag.disable());
  return { path, backlog, steadyRate, lag, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** All the publishes, and further ones while `isLonger`. */
const aPublisher = ({ server, domains }: PushPath, isLonger = (): boolean => false): Publisher =>
  new Publisher({
    server,
    rate: RATE,
    mostUnanswered: MOST_UNANSWERED,
    target: (index) =>
      index < PUBLISHES || isLonger() ? { token: aToken(index % DEVICES), to: domains[0] ?? "" } : undefined,
  });

const repliesOf = async (publisher: Publisher): Promise<void> =>
  void (await until(
    () => (publisher.journal().every(({ reply }) => reply !== undefined) ? true : undefined),
    { what: "the last reply", withinMs: 120_000 },
  ));

interface Back {
  readonly at: number;
  /** How many pushes there were before. */
  readonly pushes: number;
}

async function comeBack({ path: { apns } }: Scene): Promise<Back> {
  const back = { at: Date.now(), pushes: apns.ledger.pushes.length };
  await apns.start();
  return back;
}

function findings({ path, steadyRate, lag }: Scene, publisher: Publisher, back: Back) {
  const journal = publisher.journal();
  const pushes = path.apns.ledger.pushes.slice(back.pushes);
  const times = pushes.map(({ receivedAt }) => receivedAt - back.at).toSorted((a, b) => a - b);
  const ownLag = Math.round(lag.max / 1_000_000);
  return {
    answers: answersOf(journal),
    pushes: pushes.length,
    lost: lostOf(journal, pushes).length,
    ownLag,
    duplicates: duplicatesOf(pushes, Math.max(LEAST_SPACING_MS, WINDOW_MS - MOST_JITTER_MS - ownLag)),
    repeats: repeatsOf(pushes),
    mostPerDevice: mostPerDevice(pushes),
    firstPushAfter: times[0],
    lastPushAfter: times.at(-1),
    allWokenAfter: Math.max(...firstOfEach(pushes).map(({ receivedAt }) => receivedAt - back.at)),
    drainedAfter: Date.now() - back.at,
    pushesPerSecond: { steady: steadyRate, draining: rateOf(firstOfEach(pushes)) },
    mishaps: [...path.ingresses, ...path.workers].flatMap(({ mishaps }) => mishaps),
  };
}

/** From the first to the last, per second. */
function rateOf(pushes: readonly Arrival[]): number {
  const times = pushes.map(({ receivedAt }) => receivedAt);
  return Math.round(pushes.length / ((Math.max(...times) - Math.min(...times)) / 1_000));
}

/** With it a device's backlog is gone; a second one, a window later, is for what came within the last second. */
const firstOfEach = (pushes: readonly Arrival[]): readonly Arrival[] => [
  ...new Map(pushes.toReversed().map((push) => [push.token, push])).values(),
];

const mostPerDevice = (pushes: readonly Arrival[]): number =>
  Math.max(...[...Map.groupBy(pushes, ({ token }) => token).values()].map(({ length }) => length));
