import { aToken, startRedis, until } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { openBacklog } from "./backlog.ts";
import { answersOf, type Arrival, duplicatesOf, lostOf, repeatsOf } from "./findings.ts";
import { startPushPath } from "./push-path.ts";
import { Publisher } from "./publishing.ts";

const PUBLISHES = Number(process.env["DURABILITY_OUTAGE_PUBLISHES"] ?? 100_000);
const DEVICES = Number(process.env["DURABILITY_OUTAGE_DEVICES"] ?? 5_000);
const RATE = Number(process.env["DURABILITY_OUTAGE_RATE"] ?? 2_500);
const WINDOW_MS = 2_000;
/** A push is on its way for 5 to 50 ms, so two that left a window apart may arrive a little closer. */
const MOST_JITTER_MS = 100;
/** Share of the rate of pushes before the outage with which the backlog has to leave. */
const LEAST_DRAIN = 0.8;

/**
 * An hour's 100,000 publishes over 5,000 devices, in 40 s, with a window of 2 s instead of 20. At an hour's pace:
 * DURABILITY_OUTAGE_RATE=28.
 */
describe("a region whose push service is away", () => {
  it(
    "wakes each device once per window when it is back",
    async () => {
      await using redis = await startRedis(["--appendonly", "yes", "--maxmemory-policy", "noeviction"]);
      const url = `redis+unix://${redis.path}`;
      await using path = await startPushPath({
        name: "outage",
        redis: { url },
        windowMs: WINDOW_MS,
        ingresses: 1,
        workers: 2,
      });
      const { domains, server, apns } = path;
      await using backlog = await openBacklog({ url });

      const steady = new Publisher({
        server,
        rate: 2 * RATE,
        target: (index) =>
          index === DEVICES ? undefined : { token: aToken(`steady ${index}`), to: domains[0] ?? "" },
      });
      await steady.run();
      await until(() => (apns.ledger.pushes.length === DEVICES ? true : undefined), {
        what: "a push to each device",
        withinMs: 30_000,
      });
      const steadyRate = rateOf(apns.ledger.pushes);
      await backlog.drained(10_000);

      await apns.stop();
      const publisher = new Publisher({
        server,
        rate: RATE,
        target: (index) =>
          index === PUBLISHES ? undefined : { token: aToken(index % DEVICES), to: domains[0] ?? "" },
      });
      const startedAt = Date.now();
      await publisher.run();
      await until(() => (publisher.journal().every(({ reply }) => reply !== undefined) ? true : undefined), {
        what: "the last reply",
        withinMs: 25_000,
      });
      const waiting = await backlog.size();
      const before = apns.ledger.pushes.length;

      const backAt = Date.now();
      await apns.start();
      await backlog.drained(Math.max(60_000, 20 * 60_000 * Number(PUBLISHES > 10_000)));

      const drainedAfter = Date.now() - backAt;
      const journal = publisher.journal();
      const pushes = apns.ledger.pushes.slice(before);
      const times = pushes.map(({ receivedAt }) => receivedAt - backAt).toSorted((a, b) => a - b);
      const found = {
        answers: answersOf(journal),
        outage: backAt - startedAt,
        waiting,
        pushes: pushes.length,
        lost: lostOf(journal, pushes).length,
        duplicates: duplicatesOf(pushes, WINDOW_MS - MOST_JITTER_MS),
        repeats: repeatsOf(pushes),
        mostPerDevice: mostPerDevice(pushes),
        firstPushAfter: times[0],
        lastPushAfter: times.at(-1),
        allWokenAfter: Math.max(...firstOfEach(pushes).map(({ receivedAt }) => receivedAt - backAt)),
        drainedAfter,
        pushesPerSecond: { steady: steadyRate, draining: rateOf(firstOfEach(pushes)) },
        mishaps: [...path.ingresses, ...path.workers].flatMap(({ mishaps }) => mishaps),
      };
      process.stdout.write(`outage: ${JSON.stringify(found, undefined, 1)}\n`);
      expect(found).toMatchObject({ answers: { result: PUBLISHES }, lost: 0, duplicates: 0, mishaps: [] });
      expect(found.pushesPerSecond.draining).toBeGreaterThan(LEAST_DRAIN * steadyRate);
      // The pause that a wakeup may have been in when the push service came back, then all of them at their rate.
      const pause = found.outage < 21_000 ? seconds(16) : seconds(60);
      expect(found.allWokenAfter).toBeLessThan(pause + (1_000 * DEVICES) / (LEAST_DRAIN * steadyRate));
    },
    ((PUBLISHES / RATE) * 1_000 + 120_000) * 2,
  );
});

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
