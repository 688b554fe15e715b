import { ManualClock } from "@reveille/testkit";
import { type CountedBatch, hours, millis, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { DomainCounts } from "./domain-counts.ts";
import { CountSync } from "./count-sync.ts";

/** Counts of a region that are away, or never answer. */
function aRegionCounts() {
  const batches: CountedBatch[] = [];
  const at: { state: "there" | "away" | "deaf" } = { state: "there" };
  const answer = async <T>(give: () => T): Promise<T> => {
    if (at.state === "deaf") await new Promise<never>(() => undefined);
    if (at.state === "away") throw new Error("away");
    return give();
  };
  const sum = (domain: string): number =>
    batches
      .flatMap(({ domains }) => domains)
      .filter((one) => one.domain === domain)
      .reduce((all, { counts }) => all + (counts.get("queued") ?? 0), 0);
  return {
    batches,
    at,
    port: {
      add: async (batch: CountedBatch) => answer(() => void batches.push(batch)),
      of: async (domain: string) =>
        answer(() => ({ count: () => sum(domain), since: NOW, clearSoftware: undefined })),
    },
  };
}

const NOW = new ManualClock().now();

function aSync() {
  const clock = new ManualClock();
  const counts = new DomainCounts(clock);
  const region = aRegionCounts();
  const sync = new CountSync({ counts, regionCounts: region.port, clock });
  const told = async (domain: string): Promise<number | string> => {
    const record = await sync.of(domain);
    return typeof record === "string" ? record : record.count("queued");
  };
  return { clock, counts, region, sync, told };
}

describe("the sync", () => {
  it("writes every ten seconds what was counted, and nothing if nothing was", async () => {
    const { clock, counts, region, sync } = aSync();
    await using _ = sync;
    await clock.advance(seconds(30));
    expect(region.batches).toEqual([]);
    counts.add("a.example", "queued");
    await clock.advance(seconds(10));
    expect(region.batches).toEqual([
      {
        number: 1,
        domains: [{ domain: "a.example", counts: new Map([["queued", 1]]) }],
        begun: seconds(10),
        ended: millis(0),
        isPartial: false,
      },
    ]);
    await clock.advance(seconds(60));
    expect(region.batches).toHaveLength(1);
  });

  it("writes before it reads, so that whoever asks sees their own publish", async () => {
    const { counts, sync, told } = aSync();
    await using _ = sync;
    counts.add("a.example", "queued");
    expect(await told("a.example")).toBe(1);
    expect(await told("b.example")).toBe(0);
  });

  it("splits what it has into batches of 32 domains, each with a number of its own", async () => {
    const { clock, counts, region, sync } = aSync();
    await using _ = sync;
    for (let number = 0; number < 80; number += 1) counts.add(`${number}.example`, "queued");
    await clock.advance(seconds(10));
    expect(region.batches.map(({ number, domains }) => [number, domains.length])).toEqual([
      [1, 32],
      [2, 32],
      [3, 16],
    ]);
  });

  it("offers a batch again under its number until it is taken, and then what came meanwhile", async () => {
    const { clock, counts, region, sync, told } = aSync();
    await using _ = sync;
    counts.add("a.example", "queued");
    region.at.state = "away";
    await clock.advance(seconds(10));
    counts.add("a.example", "queued");
    expect(await told("a.example")).toBe("out-of-reach");
    await clock.advance(minutes(20));
    counts.add("a.example", "queued");
    region.at.state = "there";
    expect(await told("a.example")).toBe(3);
    expect(region.batches.map(({ number }) => number)).toEqual([1, 2, 3]);
    // What was counted early in the outage is not told as if it were new.
    const [first, second] = region.batches;
    expect(first?.ended).toBe(minutes(20));
    expect(second?.ended).toBeGreaterThan(minutes(14));
  });

  it("keeps nothing of an outage that nobody could be told any more", async () => {
    const { clock, counts, region, sync } = aSync();
    await using _ = sync;
    region.at.state = "away";
    for (let hour = 0; hour < 5; hour += 1) {
      counts.add("a.example", "queued");
      await clock.advance(hours(1));
    }
    region.at.state = "there";
    await clock.advance(seconds(10));
    expect(region.batches.length).toBeLessThanOrEqual(2);
    for (const { ended } of region.batches) expect(ended).toBeLessThan(hours(1));
  });

  it("gives up a question after a second, and at once when 64 wait", async () => {
    const { clock, region, sync, told } = aSync();
    await using _ = sync;
    region.at.state = "deaf";
    const asked = Array.from({ length: 64 }, async () => told("a.example"));
    expect(await told("a.example")).toBe("out-of-reach");
    let settled = 0;
    const counting = Promise.all(asked.map(async (one) => one.then(() => (settled += 1))));
    await clock.advance(millis(999));
    expect(settled).toBe(0);
    await clock.advance(millis(1));
    await counting;
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["out-of-reach"]));
  });

  it("writes what is left when it ends", async () => {
    const { counts, region, sync } = aSync();
    counts.add("a.example", "queued");
    await sync[Symbol.asyncDispose]();
    expect(region.batches).toHaveLength(1);
  });
});
