import { aModule, aRegion, aRegionSecret, aToken, ManualClock, startRedis } from "@reveille/testkit";
import { type EpochMillis, hours, later, millis, seconds, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { MOST_SKEW } from "./clearance.ts";
import { type Backlog, redisAdmission, redisBacklog } from "./index.ts";

const WINDOW = seconds(20);
const HOUR = hours(1);
const DEVICES = 500;
const PUBLISHES = 10_000;
const PER_FLUSH = 20;
const AT_ONCE = 8;
const APNS_TAKES = millis(50);

interface Waiting {
  readonly wakeup: Wakeup;
  readonly notBefore: EpochMillis;
}

/** The same sequence each time: mulberry32. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("after an hour in which the push service was away", () => {
  it("each device gets one push per window at most, and one after its last wakeup", async () => {
    await using server = await startRedis();
    const [redis, clock, chance] = [await server.connect(), new ManualClock(), chances(1)];
    const region = {
      redis,
      region: aRegion(),
      secret: aRegionSecret(),
      windowOf: () => WINDOW,
      clock,
      redisTime: clock.now,
    };
    const admission = redisAdmission({ ...region, forgetDeadAfter: () => HOUR, observe: () => undefined });
    const backlog = redisBacklog({ ...region, longestDeadline: () => HOUR });

    const lastWakeup = new Map<string, EpochMillis>();
    const queue: Waiting[] = [];
    for (let published = 0; published < PUBLISHES; published += PER_FLUSH) {
      clock.step((PER_FLUSH * HOUR) / PUBLISHES);
      const wakeups = Array.from({ length: PER_FLUSH }, () => aWakeupOf(chance, clock.now()));
      for (const { token, receivedAt } of wakeups) lastWakeup.set(token, receivedAt);
      const verdicts = await admission.decide(wakeups);
      const leaving = wakeups.filter((_wakeup, index) => verdicts[index]?.kind === "now");
      const claim = await admission.claim(1_000);
      queue.push(...[...leaving, ...claim.wakeups].map((wakeup) => ({ wakeup, notBefore: clock.now() })));
      await claim.confirm();
    }
    expect(queue.length).toBeGreaterThan(PUBLISHES * 0.8);

    const pushes = await drained(queue, backlog, clock);
    expect(pushes.size).toBe(lastWakeup.size);
    for (const [token, times] of pushes) {
      expect(times.at(-1)).toBeGreaterThanOrEqual(lastWakeup.get(token) ?? Infinity);
      for (const [index, time] of times.entries()) {
        expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(WINDOW - MOST_SKEW);
      }
    }
    // Only devices whose last wakeup came in the second before their first push get another one.
    const all = [...pushes.values()].flat().length;
    expect(all).toBeLessThan(DEVICES * 1.05);
  });
});

const aWakeupOf = (chance: () => number, receivedAt: EpochMillis): Wakeup => ({
  token: aToken(Math.floor(chance() ** 2 * DEVICES)),
  module: aModule(),
  urgent: true,
  receivedAt,
});

/** Several workers at once take batches from the front, and push what they are cleared for. */
async function drained(
  queue: Waiting[],
  backlog: Backlog,
  clock: ManualClock,
): Promise<ReadonlyMap<string, readonly EpochMillis[]>> {
  const pushes = new Map<string, EpochMillis[]>();
  while (queue.length > 0) {
    const ready = queue.filter(({ notBefore }) => notBefore <= clock.now()).slice(0, AT_ONCE * PER_FLUSH);
    const taken = new Set(ready);
    queue.splice(0, queue.length, ...queue.filter((waiting) => !taken.has(waiting)));
    const batches = Array.from({ length: AT_ONCE }, (_none, worker) =>
      ready.slice(worker * PER_FLUSH, (worker + 1) * PER_FLUSH).map(({ wakeup }) => wakeup),
    ).filter((batch) => batch.length > 0);

    const going = await Promise.all(
      batches.map(async (batch) => cleared(batch, backlog, queue, clock.now())),
    );
    const clearedAt = clock.now();
    for (const { token } of going.flat()) pushes.set(token, [...(pushes.get(token) ?? []), clock.now()]);
    clock.step(APNS_TAKES);
    const settled = going.map((batch) => batch.map((wakeup) => ({ wakeup, clearedAt, accepted: true })));
    await Promise.all(settled.map(async (batch) => backlog.settle(batch)));
  }
  return pushes;
}

async function cleared(
  batch: readonly Wakeup[],
  backlog: Backlog,
  queue: Waiting[],
  now: EpochMillis,
): Promise<readonly Wakeup[]> {
  const clearances = await backlog.clear(batch);
  return batch.filter((wakeup, index) => {
    const clearance = clearances[index];
    if (clearance?.kind === "later") queue.push({ wakeup, notBefore: later(now, clearance.after) });
    return clearance?.kind === "go";
  });
}
