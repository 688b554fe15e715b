import { aRegion, aRegionSecret, ManualClock, startRedis, type TestRedis } from "@reveille/testkit";
import {
  type Counted,
  type DomainRecord,
  epochMillis,
  hours,
  type Millis,
  millis,
  minutes,
  redisKeyKind,
  redisKeysOf,
  seconds,
} from "@reveille/wakeup";
import fc from "fast-check";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openClearSenders, openRegionCounts, type RegionCounts } from "../index.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);
const HOUR = hours(1);
const SLICE = minutes(5);

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => void (await redis.flushall()));

/** The books of some processes of one region, and what each writes. */
function aRegionOf(processes: number, most?: number) {
  const clock = new ManualClock();
  const options = { redis, region, secret, redisTime: clock.now, ...(most === undefined ? {} : { most }) };
  const books = Array.from({ length: processes }, () => ({ book: openRegionCounts(options), number: 0 }));
  const write = async (process: number, domain: string, counts: Partial<Record<Counted, number>>) => {
    const writer = books[process];
    if (writer === undefined) throw new Error(`no process ${process}`);
    writer.number += 1;
    await writer.book.add(batchOf(writer.number, [[domain, counts]]));
  };
  return { clock, books, write, of: async (domain: string) => toldOf(books[0]?.book, domain) };
}

type Domains = readonly (readonly [string, Partial<Record<Counted, number>>])[];

const batchOf = (number: number, domains: Domains, ended: Millis = millis(0), isPartial = false) => ({
  number,
  domains: domains.map(([domain, counts]) => ({
    domain,
    counts: new Map(
      Object.entries(counts).filter((entry): entry is [Counted, number] => isCounted(entry[0])),
    ),
  })),
  begun: millis(ended + seconds(10)),
  ended,
  isPartial,
});

const RESULTS: readonly Counted[] = [
  "queued",
  "later",
  "token-dead",
  "over-limit",
  "our-trouble",
  "in-clear",
  "module-changed",
  "reached",
  "unreached",
];
const isCounted = (name: string): name is Counted => RESULTS.some((result) => result === name);

async function toldOf(book: RegionCounts | undefined, domain: string): Promise<DomainRecord> {
  const record = await book?.of(domain);
  if (record === undefined || record === "no-room") throw new Error(`no record of ${domain}`);
  return record;
}

describe("the region's book of sending domains", () => {
  it("tells of a domain what all processes have counted, and nothing of others", async () => {
    const { write, of } = aRegionOf(3);
    await write(0, "a.example", { queued: 2, "token-dead": 1 });
    await write(1, "a.example", { queued: 3 });
    await write(2, "b.example", { queued: 100 });
    const { count } = await of("a.example");
    expect([count("queued"), count("token-dead"), count("later")]).toEqual([5, 1, 0]);
    expect((await of("silent.example")).count("queued")).toBe(0);
  });

  it("adds a batch once, however often it is offered", async () => {
    const { books, of } = aRegionOf(2);
    const batch = batchOf(1, [["a.example", { queued: 2 }]]);
    await books[0]?.book.add(batch);
    await books[0]?.book.add(batch);
    await books[1]?.book.add(batch);
    expect((await of("a.example")).count("queued")).toBe(4);
  });

  it("counts what was written late at its own time", async () => {
    const { books, of, clock } = aRegionOf(1);
    await books[0]?.book.add(batchOf(1, [["a.example", { queued: 1 }]], minutes(50)));
    expect((await of("a.example")).count("queued")).toBe(1);
    clock.step(minutes(15));
    expect((await of("a.example")).count("queued")).toBe(0);
    await redis.del(keys.countedDomains, keys.counting);
    await books[0]?.book.add(batchOf(2, [["b.example", { queued: 1 }]], HOUR));
    expect((await of("b.example")).count("queued")).toBe(0);
    const lives = await Promise.all((await redis.keys("*")).map(async (key) => redis.pttl(key)));
    // But the clock.
    expect(lives.filter((life) => life < 0)).toHaveLength(1);
  });

  it("is one for a domain, however its server writes it", async () => {
    const { write, of } = aRegionOf(1);
    for (const spelling of ["exämple.org", "XN--EXMPLE-CUA.org", "EXÄMPLE.org."]) {
      await write(0, spelling, { queued: 1 });
    }
    expect((await of("exämple.org")).count("queued")).toBe(3);
  });

  it("says since when it has counted: the first batch, and later an hour ago", async () => {
    const { write, of, clock } = aRegionOf(1);
    const began = clock.now() - seconds(10);
    expect((await of("a.example")).since).toBe(clock.now());
    await write(0, "a.example", { queued: 1 });
    clock.step(minutes(30));
    await write(0, "b.example", { queued: 1 });
    for (const domain of ["a.example", "b.example", "silent.example"]) {
      expect((await of(domain)).since).toBe(began);
    }
    clock.step(minutes(60));
    // Eleven slices and what has passed of the twelfth.
    expect((await of("silent.example")).since).toBe(began + seconds(10) + minutes(90 - 55));
  });

  it("says since when, after a process could not keep all domains apart", async () => {
    const { books, write, of, clock } = aRegionOf(1);
    await write(0, "a.example", { queued: 1 });
    clock.step(minutes(10));
    await books[0]?.book.add(batchOf(2, [["b.example", { queued: 1 }]], millis(0), true));
    const then = clock.now();
    clock.step(minutes(10));
    expect((await of("a.example")).since).toBe(then);
    expect((await of("silent.example")).since).toBe(then);
  });

  it("keeps the domains it has when others are made up, has no room for those, and says so", async () => {
    const most = 20;
    const { books, write, of, clock } = aRegionOf(2, most);
    const began = clock.now() - seconds(10);
    await write(0, "honest.example", { queued: 1 });
    for (let round = 0; round < 30; round += 1) {
      const madeUp: Domains = Array.from({ length: 50 }, (_, n) => [
        `${round}-${n}.flood.example`,
        { queued: 1 },
      ]);
      await books[1]?.book.add(batchOf(round + 1, madeUp));
      await write(0, "honest.example", { queued: 1 });
      clock.step(seconds(60));
    }
    expect((await redis.keys("*")).length).toBeLessThanOrEqual(most + 5);
    expect(await redis.zcard(keys.countedDomains)).toBe(most);
    const honest = await of("honest.example");
    expect([honest.count("queued"), honest.since]).toEqual([31, began]);
    expect(await books[0]?.book.of("29-49.flood.example")).toBe("no-room");
    expect(await books[0]?.book.of("new.example")).toBe("no-room");
    const flooded = clock.now() - seconds(60);
    // Those that were there first have been silent for an hour, and make room.
    clock.step(minutes(31));
    await write(0, "honest.example", { queued: 1 });
    await write(0, "new.example", { queued: 1 });
    const late = await of("new.example");
    expect([late.count("queued"), late.since]).toEqual([1, flooded]);
    expect((await of("honest.example")).since).toBeGreaterThan(began);
  });

  it("stands in Redis without the name of a domain, and for an hour", async () => {
    const { write, of } = aRegionOf(1);
    await write(0, "secret-place.example", { queued: 5, "in-clear": 5 });
    expect((await of("secret-place.example")).count("queued")).toBe(5);
    const stored = await redis.keys("*");
    expect(new Set(stored.map((key) => redisKeyKind(region, key)))).toEqual(
      new Set(["clock", "domainCounts", "countedDomains", "counting", "countedBy"]),
    );
    for (const key of stored) {
      const kind = redisKeyKind(region, key);
      const life = await redis.pttl(key);
      if (kind === "clock") continue;
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(kind === "counting" ? hours(24) : HOUR);
    }
    const dumps = await Promise.all(stored.map(async (key) => redis.dumpBuffer(key)));
    const all = stored.join(" ") + dumps.map((dump) => dump?.toString("latin1") ?? "").join("");
    expect(all).not.toContain("secret-place");
  });

  it("forgets slices, so that a domain that publishes for days takes no more than after an hour", async () => {
    const { write, clock } = aRegionOf(1);
    const fields: number[] = [];
    for (let slice = 0; slice < 60; slice += 1) {
      await write(0, "a.example", { queued: 1, later: 1 });
      const stored = await redis.keys("*");
      const key = stored.find((one) => redisKeyKind(region, one) === "domainCounts");
      fields.push(await redis.hlen(key ?? ""));
      clock.step(SLICE);
    }
    expect(Math.max(...fields)).toBe(2 + 12 * 2);
    expect(fields.at(-1)).toBe(2 + 12 * 2);
  });

  it("knows which software sends content in clear from the list for the operator", async () => {
    const { of, clock } = aRegionOf(1);
    const senders = openClearSenders({ redis, region, clock });
    senders.note("a.example", "prosody");
    await clock.advance(seconds(1));
    senders.note("a.example", "tigase");
    senders.note("ba.example", "ejabberd");
    await senders[Symbol.asyncDispose]();
    expect((await of("a.example")).clearSoftware).toBe("tigase");
    expect((await of("c.example")).clearSoftware).toBeUndefined();
  });
});

const step = fc.record({
  by: fc.oneof(
    fc.constantFrom(0, 1, SLICE - 1, SLICE, HOUR - SLICE, HOUR),
    fc.integer({ min: 0, max: SLICE }),
  ),
  process: fc.nat({ max: 2 }),
  domain: fc.constantFrom("a.example", "b.example"),
  counts: fc.dictionary(fc.constantFrom(...RESULTS), fc.integer({ min: 1, max: 1_000 }), { maxKeys: 4 }),
  age: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: HOUR })),
  times: fc.integer({ min: 1, max: 3 }),
});

describe("the sums of the region's book", () => {
  /** Seen to fail by: no memory of batches, one slice more or less, slices never or too early forgotten, ages left out. */
  it("are those of what each process has counted in the last twelve slices", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        await redis.flushall();
        const { books, clock, of } = aRegionOf(3);
        const written: {
          readonly domain: string;
          readonly what: string;
          readonly count: number;
          readonly at: number;
        }[] = [];
        for (const { by, process, domain, counts, age, times } of steps) {
          clock.step(by);
          const writer = books[process];
          if (writer === undefined) throw new Error("no process");
          writer.number += 1;
          for (let time = 0; time < times; time += 1) {
            await writer.book.add(batchOf(writer.number, [[domain, counts]], millis(age)));
          }
          for (const [what, count] of Object.entries(counts)) {
            written.push({ domain, what, count, at: clock.now() - age });
          }
          const oldest = (Math.floor(clock.now() / SLICE) - 11) * SLICE;
          for (const asked of ["a.example", "b.example"]) {
            const { count, since } = await of(asked);
            for (const result of RESULTS) {
              const fresh = written.filter(
                (one) => one.domain === asked && one.what === result && one.at >= oldest,
              );
              expect(count(result)).toBe(fresh.reduce((sum, one) => sum + one.count, 0));
            }
            expect(since).toBeGreaterThanOrEqual(epochMillis(oldest));
            expect(since).toBeLessThanOrEqual(clock.now());
          }
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
