import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { epochMillis, later, type MetricFamily, millis, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { aHost } from "../testing/a-host.ts";
import { parsedStatus } from "../testing/parsed-status.ts";
import { counter, family } from "../testing/some-metrics.ts";
import { Steady } from "../steady.ts";
import { latencyChart, outcomeChart } from "./charts.ts";
import { History, snapshotOf } from "./history.ts";
import { METRICS } from "./metric-names.ts";
import { type Buckets, quantile } from "./series.ts";

/** What a worker tells that has delivered so many pushes within 10 ms and so many within a second. */
const delivered = (fast: number, slow: number): readonly MetricFamily[] => [
  family(METRICS.deliveries, [
    [{ module: "m", outcome: "delivered", reason: "none" }, fast + slow],
    [{ module: "m", outcome: "rejected", reason: "other" }, 0],
  ]),
  counter(0, {
    name: METRICS.latency,
    type: "histogram",
    values: [[0.01, fast] as const, [1, fast + slow] as const, ["+Inf", fast + slow] as const].map(
      ([le, value]) => ({ metricName: `${METRICS.latency}_bucket`, labels: { module: "m", le }, value }),
    ),
  }),
];

describe("the status of a host", () => {
  it("tells which roles run and are ready, and what they all read from Redis only once", async () => {
    await using host = await aHost();
    const region = (waiting: number): readonly MetricFamily[] => [
      family(
        METRICS.queueBatches,
        [
          [{ state: "waiting" }, waiting],
          [{ state: "active" }, 2],
        ],
        { type: "gauge" },
      ),
      family(METRICS.queueOldest, [[{}, 7]], { type: "gauge" }),
      family(METRICS.trailing, [[{}, 5]], { type: "gauge" }),
    ];
    await host.role({ role: "ingress", pid: 7, metrics: region(3) });
    await host.role({ metrics: region(4) });
    await host.role({
      pid: 2,
      parts: [{ part: "redis", health: { kind: "failing", because: "10.0.0.1 refuses" } }],
    });
    const sidecar = await host.start();
    const { headers, text } = await sidecar.get("/status.json");
    expect(headers.get("cache-control")).toBe("public, max-age=2");
    expect(parsedStatus(text)).toMatchObject({
      region: "eu",
      host: "s1.eu.push.example",
      version: "1.2.3",
      ready: true,
      roles: [
        { role: "ingress", answering: 1, ready: 1, silent: 0 },
        { role: "worker", answering: 2, ready: 1, silent: 0 },
      ],
      queue: { batches: 6, oldestSeconds: 7, trailingDevices: 5 },
      now: null,
    });
    // Error texts may name addresses inside the host.
    expect(text).not.toContain("10.0.0.1");
  });

  it("tells rates and latency of the last ten seconds, and of the last hour in steps of half a minute", async () => {
    await using host = await aHost();
    const worker = await host.role({ metrics: delivered(100, 0) });
    const since = host.clock.now();
    const sidecar = await host.start();
    await host.clock.polls(9);
    worker.set({ metrics: delivered(150, 50) });
    await host.clock.polls();
    const status = parsedStatus((await sidecar.get("/status.json")).text);
    expect(status.now).toMatchObject({
      outcomesPerSecond: { delivered: 10, rejected: 0 },
      latencyP50: 0.01,
      latencyP99: 0.9802,
    });
    expect(status.history).toEqual({ since, stepSeconds: 30, points: [] });
    await host.clock.polls(20);
    const [point, ...others] = parsedStatus((await sidecar.get("/status.json")).text).history.points;
    expect(others).toEqual([]);
    expect(point?.seconds).toBe(30);
    expect(point?.outcomesPerSecond["delivered"]).toBeCloseTo(100 / 30, 3);
  });

  it("takes what a process had counted before it was seen first for no growth, unless it has just started", async () => {
    await using host = await aHost();
    const silent = await host.role({ metrics: delivered(1_000, 500) });
    silent.hang();
    const starting = host.start();
    await host.clock.patienceEnds(1);
    const sidecar = await starting;
    const rate = async () =>
      parsedStatus((await sidecar.get("/status.json")).text).now?.outcomesPerSecond["delivered"];
    for (let second = 0; second < 4; second += 1) await host.clock.pollOfHung();
    silent.wake();
    await host.clock.polls();
    expect(await rate()).toBe(0);
    silent.set({ metrics: delivered(1_050, 500) });
    await host.clock.polls(5);
    expect(await rate()).toBe(10);
    await host.role({ pid: 2, startedAt: host.clock.now(), metrics: delivered(20, 0) });
    await host.clock.polls(5);
    // In 10 s all 20 of the new one, and 50 of the other.
    expect(await rate()).toBe(7);
  });

  it("tells what stands by, and what an unready host lacks, by names alone", async () => {
    await using host = await aHost();
    const state = (name: string, states: Readonly<Record<string, number>>): MetricFamily =>
      family(
        name,
        Object.entries(states).map(([text, value]) => [{ state: text }, value] as const),
        { type: "gauge" },
      );
    await host.role({
      role: "ingress",
      parts: [
        { part: "redis-writes", health: { kind: "failing", because: "READONLY 10.0.0.1" } },
        { part: "component", health: { kind: "ready" } },
      ],
      metrics: [
        state(METRICS.redisPart, { primary: 0, replica: 1 }),
        family(METRICS.replicas, [[{}, 2]], { type: "gauge" }),
        state(METRICS.sentinels, { configured: 3, agreeing: 1 }),
      ],
    });
    const sidecar = await host.start();
    const { text } = await sidecar.get("/status.json");
    expect(parsedStatus(text)).toMatchObject({
      ready: false,
      lacking: ["redis-writes"],
      failover: {
        redis: { part: "replica", replicas: 2 },
        sentinels: { configured: 3, agreeing: 1 },
        certificateExpiresAt: null,
      },
    });
    expect(text).not.toContain("10.0.0.1");
    const page = (await sidecar.get("/")).text;
    expect(page).toContain("<li>Redis takes no writes</li>");
    expect(page).toContain("1 of 3 agree");
    expect(page).not.toContain("10.0.0.1");
  });

  it("says so when the host is being drained", async () => {
    await using host = await aHost();
    await host.role({ role: "ingress" });
    await writeFile(join(host.runtimeDir, "draining"), "");
    const sidecar = await host.start();
    expect(parsedStatus((await sidecar.get("/status.json")).text)).toMatchObject({ lacking: ["draining"] });
    expect((await sidecar.get("/")).text).toContain("<h1>This host is being drained</h1>");
  });

  it("tells no latency while nothing is delivered", async () => {
    await using host = await aHost();
    await host.role({ metrics: delivered(100, 0) });
    const sidecar = await host.start();
    await host.clock.polls(5);
    expect(parsedStatus((await sidecar.get("/status.json")).text).now).toMatchObject({
      latencyP50: null,
      latencyP99: null,
    });
  });

  it("says by how much the host's clock is wrong, beyond 30 s", async () => {
    await using host = await aHost();
    const skew = (ahead: number, behind: number): readonly MetricFamily[] => [
      family(
        METRICS.clockSkew,
        [
          [{ role: "worker", direction: "ahead" }, ahead],
          [{ role: "worker", direction: "behind" }, behind],
        ],
        { type: "gauge" },
      ),
    ];
    await host.role({ role: "ingress", metrics: skew(0, 7_200) });
    const sidecar = await host.start();
    const page = (await sidecar.get("/")).text;
    expect(page).toContain("clock – this host is 2 h behind Redis");
    expect(page).toContain("Push works, with trouble");
    expect(parsedStatus((await sidecar.get("/status.json")).text)).toMatchObject({
      clockAheadSeconds: -7_200,
    });
  });

  it.each<readonly [reached: number, unreached: number, words: string, isConcern: boolean]>([
    [0, 0, "nobody has published", false],
    [7, 0, "reach all 7", false],
    // Some servers accept nothing, as ever.
    [4, 4, "do not reach 4 of 8", false],
    [5, 5, "do not reach 5 of 10", false],
    [1, 4, "do not reach 4 of 5", false],
    // Then it is likelier that the front of this host gets nowhere.
    [4, 5, "do not reach 5 of 9", true],
  ])(
    "tells that replies reach %d sending domains, and %d not",
    async (reached, unreached, words, isConcern) => {
      await using host = await aHost();
      const values = [
        [{ replies: "reached" }, reached],
        [{ replies: "unreached" }, unreached],
      ] as const;
      await host.role({
        role: "ingress",
        metrics: [family(METRICS.sendingDomains, values, { type: "gauge" })],
      });
      const sidecar = await host.start();
      expect(parsedStatus((await sidecar.get("/status.json")).text)).toMatchObject({
        repliesReach: { reached, unreached },
      });
      const page = (await sidecar.get("/")).text;
      expect(page).toContain(`<td>replies to senders</td>`);
      expect(page).toContain(words);
      expect(page.includes(`<li>replies to senders – ${words}</li>`)).toBe(isConcern);
    },
  );

  it("is made from metrics that exist", async () => {
    const documented = await readFile(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");
    expect(Object.values(METRICS).filter((name) => !documented.includes(`| \`${name}\` |`))).toEqual([]);
  });
});

const START = epochMillis(Date.UTC(2026, 0, 1, 20, 41));

/** What a sidecar has kept that looked at these seconds after 20:41, while one push was delivered in each second. */
function aHistory(lookedAt: readonly number[]): History {
  const history = new History();
  for (const at of lookedAt) {
    const snapshot = snapshotOf([], later(START, seconds(at)), seconds(at));
    history.take({ ...snapshot, publishes: at, outcomes: new Map([["delivered", at]]) });
  }
  return history;
}

/** So many looks, half a minute apart. */
const looks = (count: number): readonly number[] => Array.from({ length: count }, (_, look) => look * 30);

const chartsOf = ({ points, since }: Pick<History, "points" | "since">): readonly string[] =>
  [latencyChart, outcomeChart].map((chart) => chart({ since: since ?? null, stepSeconds: 30, points }));

describe("the history", () => {
  it("reaches back an hour", () => {
    const history = aHistory(looks(131));
    expect(history.points).toHaveLength(120);
    expect(history.points.at(0)?.at).toBe(START + 11 * 30_000);
    expect(history.points.at(-1)).toMatchObject({ at: START + 130 * 30_000, publishesPerSecond: 1 });
  });

  it.each([
    ["nothing yet", 1, "600"],
    ["half an hour", 61, "300"],
    ["all but half a minute", 120, "5"],
  ])("that holds %s says since when, and shows what was before as not known", (_what, count, width) => {
    for (const chart of chartsOf(aHistory(looks(count)))) {
      expect(chart).toContain(`<rect class="before" width="${width}" height="150"/>`);
      expect(chart).toContain("no figures before 20:41 UTC, when this sidecar started</li>");
    }
  });

  it("that holds an hour or more says nothing of its beginning", () => {
    for (const count of [121, 122, 500]) {
      for (const chart of chartsOf(aHistory(looks(count)))) expect(chart).not.toContain("before");
    }
  });

  it("shows a time in which nobody looked as long as it was, with what was counted meanwhile", () => {
    const [, chart = ""] = chartsOf(aHistory([0, 30, 60, 660]));
    // One in a second, all the time.
    expect(chart.match(/<rect class="delivered".*?>/g)).toEqual([
      '<rect class="delivered" x="490" y="0" width="5" height="150"/>',
      '<rect class="delivered" x="495" y="0" width="5" height="150"/>',
      '<rect class="delivered" x="500" y="0" width="100" height="150"/>',
    ]);
    // Of a long time that began earlier only what lies within the hour.
    const [, late = ""] = chartsOf(aHistory([0, 1_000, ...looks(101).map((at) => 1_000 + at)]));
    expect(late).not.toContain("before");
    expect(late).toContain('<rect class="delivered" x="0" y="0" width="100"');
  });

  it("shows a gap where nothing was delivered, and no rate below nothing", () => {
    const point = {
      at: epochMillis(0),
      seconds: 30,
      publishesPerSecond: 0,
      acceptedPerSecond: 0,
      outcomesPerSecond: {},
      latencyP99: null,
    };
    const points = [0.1, 0.2, null, 0.1].map((latencyP50) => ({ ...point, latencyP50 }));
    const [chart] = chartsOf({ since: START, points });
    expect(chart?.match(/class="p50" d="([^"]*)"/)?.[1]).toMatch(/^M[\d. ]+h\.1L[\d. ]+M[\d. ]+h\.1$/);
    const history = new History();
    const snapshot = snapshotOf([], epochMillis(0), millis(0));
    history.take({ ...snapshot, publishes: 5 });
    history.take({ ...snapshot, elapsed: millis(1_000), publishes: 0 });
    expect(history.now?.publishesPerSecond).toBe(0);
  });
});

describe("steadiness", () => {
  it("turns only when a change has lasted without a break", () => {
    const steady = new Steady();
    const take = (ready: boolean, at: number) =>
      steady.take({ ready, reasons: [] }, seconds(at), seconds(1.5));
    expect(take(false, 0)).toBe(true);
    expect(take(true, 0)).toBe(true);
    for (let at = 1; at < 20; at += 1) expect(take(at % 2 === 0, at)).toBe(false);
    expect([take(false, 20), take(false, 21), take(false, 22)]).toEqual([false, true, false]);
  });
});

describe("the status page", () => {
  it("shows a picture of the path, charts and modules, in one file without outside assets", async () => {
    await using host = await aHost();
    await host.role({
      role: "ingress",
      pid: 7,
      metrics: [family(METRICS.component, [[{ state: "active" }, 1]])],
    });
    const worker = await host.role({
      metrics: [
        ...delivered(0, 0),
        family(METRICS.breaker, [[{ module: "a", state: "open" }, 1]]),
        family(METRICS.connections, [[{ state: "open" }, 2]]),
      ],
    });
    const since = host.clock.now();
    const sidecar = await host.start();
    worker.set({ metrics: delivered(900, 0) });
    await host.clock.polls(30);
    const { headers, text } = await sidecar.get("/");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(text).toContain(`<header class="good">`);
    expect(text).toContain(`<h1>Push works</h1>`);
    expect(text).toContain('<rect class="delivered"');
    const started = new Date(since).toISOString().slice(11, 16);
    expect(text.match(new RegExp(`no figures before ${started} UTC`, "g"))).toHaveLength(2);
    expect(text).toMatch(/<path class="p50" d="M[\d. ]+h\.1"\/>/);
    expect(text).not.toMatch(/(?:src|href)="(?!status\.json|data:)/);
  });

  it("says so when push does not work", async () => {
    await using host = await aHost();
    const sidecar = await host.start();
    const { text } = await sidecar.get("/");
    expect(text).toContain(`<h1>Push does not work here</h1>`);
    expect(text).toContain("the ingress does not answer");
  });

  it("shows each trouble at its own station, and tells the own front from those of other hosts", async () => {
    await using host = await aHost();
    const component = (name: string, state: string) => [{ component: name, state }, 1] as const;
    const failing = { kind: "failing", because: "away" } as const;
    const ingress = await host.role({
      role: "ingress",
      metrics: [family(METRICS.component, [component("own", "active"), component("s2", "standby")])],
    });
    await host.role({
      parts: [{ part: "apns", health: failing }],
      metrics: [family(METRICS.connections, [[{ state: "probing" }, 1]])],
    });
    const sidecar = await host.start({ ownComponents: ["own"] });
    const stations = async () =>
      [...(await sidecar.get("/")).text.matchAll(/class="station (\w+)">.*?<b>(\w+)<\/b><span>([^<]*)/g)].map(
        ([, mood, name, detail]) => `${name} ${mood}: ${detail}`,
      );
    const rows = async () =>
      (await sidecar.get("/")).text.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
    expect(await stations()).toEqual([
      "front good: connected",
      "ingress good: 1 running",
      "queue unknown: unknown",
      "worker bad: 1 running, none can send",
      "APNs good: 1 connection, not used yet",
    ]);
    expect(await rows()).toContain("front of the other host served by its own host Redis unknown");
    ingress.set({
      metrics: [family(METRICS.component, [component("own", "down"), component("s2", "down")])],
      parts: ["component", "redis-writes", "region-worker"].map((part) => ({ part, health: failing })),
    });
    await host.clock.polls(5);
    expect((await stations()).slice(0, 4)).toEqual([
      "front bad: not connected",
      "ingress good: 1 running",
      "queue bad: takes no writes",
      "worker bad: 1 running, none can send",
    ]);
    expect(await rows()).toContain("front of the other host not reachable");
  });

  it("takes names for text, whatever they contain", async () => {
    await using host = await aHost();
    const name = `<script>alert("1")</script>`;
    await host.role({ metrics: [family(METRICS.breaker, [[{ module: name, state: "open" }, 1]])] });
    const sidecar = await host.start({ host: name });
    const { text } = await sidecar.get("/");
    expect(text).not.toContain(name);
    expect(text).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
  });

  it("is made once a second, however often it is asked for", async () => {
    await using host = await aHost();
    const worker = await host.role({
      metrics: [family(METRICS.breaker, [[{ module: "a", state: "open" }, 1]])],
    });
    const sidecar = await host.start();
    const shown = async () => [(await sidecar.get("/")).text, (await sidecar.get("/status.json")).text];
    const before = await shown();
    worker.set({ metrics: [] });
    await sidecar.get("/metrics");
    expect(await shown()).toEqual(before);
    await host.clock.polls();
    expect(await shown()).not.toEqual(before);
  });

  it("can be served alone, for the public", async () => {
    await using host = await aHost();
    const sidecar = await host.start({ statusListen: { host: "127.0.0.1", port: 0 } });
    for (const path of ["/", "/status.json"])
      expect(await sidecar.getStatus(path)).toMatchObject({ status: 200 });
    for (const path of ["/metrics", "/ready", "/live"]) {
      expect(await sidecar.getStatus(path)).toMatchObject({ status: 404 });
      expect((await sidecar.get(path)).status).not.toBe(404);
    }
  });
});

describe("a quantile", () => {
  it.each<[string, Buckets, number, number | undefined]>([
    [
      "of nothing",
      [
        [1, 0],
        [Infinity, 0],
      ],
      0.5,
      undefined,
    ],
    [
      "within a bucket",
      [
        [1, 0],
        [2, 10],
        [Infinity, 10],
      ],
      0.5,
      1.5,
    ],
    [
      "in the first bucket",
      [
        [1, 10],
        [Infinity, 10],
      ],
      0.5,
      0.5,
    ],
    [
      "beyond the last bound",
      [
        [1, 0],
        [Infinity, 10],
      ],
      0.5,
      1,
    ],
    [
      "at the end",
      [
        [1, 5],
        [2, 10],
        [Infinity, 10],
      ],
      1,
      2,
    ],
  ])("%s", (_what, buckets, share, value) => {
    expect(quantile(buckets, share)).toBe(value);
  });

  it("never lies outside the buckets, and does not fall as the share rises", () => {
    const bounds = [0.1, 1, 10, Infinity];
    const isOrdered = (counts: readonly number[], one: number, other: number): boolean => {
      let total = 0;
      const buckets = bounds.map((bound, index): readonly [number, number] => [
        bound,
        (total += counts[index] ?? 0),
      ]);
      const low = quantile(buckets, Math.min(one, other)) ?? 0;
      const high = quantile(buckets, Math.max(one, other)) ?? 0;
      return low >= 0 && low <= high && high <= 10;
    };
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const counts = fc.array(fc.nat(1_000), { minLength: 4, maxLength: 4 });
    expect(() => fc.assert(fc.property(counts, share, share, isOrdered))).not.toThrow();
  });
});

describe("the metrics behind a token", () => {
  it("are given to who has it, and to nobody else", async () => {
    await using host = await aHost();
    const sidecar = await host.start({ metricsToken: "sesame" });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await sidecar.get("/metrics", headers)).status;
    expect(await status({ authorization: "Bearer sesame" })).toBe(200);
    expect(await status({ authorization: "Bearer sesam" })).toBe(401);
    expect(await status({ authorization: "sesame" })).toBe(401);
    expect(await status({})).toBe(401);
    expect((await sidecar.get("/ready")).status).toBe(503);
  });
});
