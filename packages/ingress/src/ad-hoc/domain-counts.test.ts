import { ManualClock } from "@reveille/testkit";
import { hours, later, minutes, type PublishResult } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DomainCounts } from "./domain-counts.ts";

describe("the counts of domains", () => {
  it("counts what a domain published, by result, and nothing of others", () => {
    const counts = new DomainCounts(new ManualClock());
    counts.add("a.example", "queued");
    counts.add("a.example", "queued");
    counts.add("a.example", "token-dead");
    counts.add("b.example", "queued");
    const { count } = counts.of("a.example");
    expect([count("queued"), count("token-dead"), count("later")]).toEqual([2, 1, 0]);
    expect(counts.of("c.example").count("queued")).toBe(0);
  });

  it("holds each publish for 55 minutes and forgets it after 60", async () => {
    const seconds = fc.integer({ min: 0, max: 7_200 });
    const ages = fc.integer({ min: 0, max: 90 });
    for (const [start, age] of fc.sample(fc.tuple(seconds, ages), 200)) {
      const clock = new ManualClock();
      await clock.advance(minutes(start / 60));
      const counts = new DomainCounts(clock);
      counts.add("a.example", "queued");
      await clock.advance(minutes(age));
      const possible = age < 55 ? [1] : age < 60 ? [0, 1] : [0];
      expect(possible).toContain(counts.of("a.example").count("queued"));
    }
  });

  it("says since when it has counted: its own start, and later an hour ago", async () => {
    const clock = new ManualClock();
    const began = clock.now();
    const counts = new DomainCounts(clock);
    await clock.advance(minutes(10));
    counts.add("a.example", "queued");
    expect(counts.of("a.example").since).toBe(began);
    expect(counts.of("silent.example").since).toBe(began);
    await clock.advance(hours(2));
    expect(counts.of("a.example").since).toBe(later(began, minutes(70)));
  });

  it("remembers which software sent content in clear last", () => {
    const counts = new DomainCounts(new ManualClock());
    counts.addClear("a.example", "prosody");
    counts.addClear("a.example", "tigase");
    const { count, clearSoftware } = counts.of("a.example");
    expect([count("in-clear"), clearSoftware]).toEqual([2, "tigase"]);
    expect(counts.of("b.example").clearSoftware).toBeUndefined();
  });

  it("stays within its bound, whoever makes up domains, and keeps those that publish", async () => {
    const clock = new ManualClock();
    const counts = new DomainCounts(clock, 8);
    for (let number = 0; number < 1_000; number += 1) {
      counts.add(`${number}.example`, "queued");
      counts.add("busy.example", "queued");
      await clock.advance(minutes(0.001));
    }
    const kept = Array.from({ length: 1_000 }, (_, number) => counts.of(`${number}.example`).count("queued"));
    const known = kept.reduce((sum, one) => sum + one, 0);
    expect(known).toBeGreaterThan(2);
    expect(known).toBeLessThan(8);
    expect(counts.of("busy.example").count("queued")).toBe(1_000);
    // Of a domain that may have been forgotten it cannot say that there was nothing.
    expect(counts.of("0.example").since).toBe(clock.now());
  });

  it("keeps the results of a publish apart from each other", () => {
    const results: readonly PublishResult[] = ["queued", "later", "merged", "blocked", "our-trouble"];
    const counts = new DomainCounts(new ManualClock());
    for (const [index, result] of results.entries()) {
      for (let times = 0; times <= index; times += 1) counts.add("a.example", result);
    }
    expect(results.map(counts.of("a.example").count)).toEqual([1, 2, 3, 4, 5]);
  });

  it("gives what the region has not been told of, once", () => {
    const counts = new DomainCounts(new ManualClock());
    counts.add("a.example", "queued");
    counts.add("a.example", "queued");
    counts.addClear("b.example", "prosody");
    expect(counts.takeUntold()).toEqual({
      domains: [
        { domain: "a.example", counts: new Map([["queued", 2]]) },
        { domain: "b.example", counts: new Map([["in-clear", 1]]) },
      ],
      isPartial: false,
    });
    expect(counts.takeUntold().domains).toEqual([]);
    counts.add("a.example", "later");
    expect(counts.takeUntold().domains).toEqual([{ domain: "a.example", counts: new Map([["later", 1]]) }]);
    expect(counts.of("a.example").count("queued")).toBe(2);
  });

  it("has nothing in memory any more of what is older than an hour, though nobody asks", () => {
    let time = minutes(10);
    const { now, sleep } = new ManualClock();
    const counts = new DomainCounts({ now, sleep, monotonic: () => time });
    counts.add("a.example", "queued");
    time = minutes(70);
    counts.takeUntold();
    time = minutes(10);
    expect(counts.of("a.example").count("queued")).toBe(0);
  });

  it("says so if it has forgotten a domain that the region has not been told of", () => {
    const counts = new DomainCounts(new ManualClock(), 8);
    const publish = (from: number, to: number): void => {
      for (let number = from; number < to; number += 1) counts.add(`${number}.example`, "queued");
    };
    publish(0, 7);
    expect(counts.takeUntold()).toMatchObject({ isPartial: false, domains: { length: 7 } });
    publish(7, 11);
    expect(counts.takeUntold()).toMatchObject({ isPartial: false, domains: { length: 4 } });
    publish(11, 21);
    const { isPartial, domains } = counts.takeUntold();
    expect([isPartial, domains.length < 10]).toEqual([true, true]);
    expect(counts.takeUntold()).toEqual({ isPartial: false, domains: [] });
  });
});
