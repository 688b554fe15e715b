import { aModule, aWakeup, ManualClock } from "@reveille/testkit";
import { millis, type MetricFamily, minutes, type Outcome, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { createMetrics, mergeFamilies, type MetricsOptions, renderMetrics } from "../index.ts";
import { reasonClass } from "./reason-class.ts";

function someMetrics(parts: Partial<MetricsOptions> = {}) {
  const clock = new ManualClock();
  const metrics = createMetrics({ role: "worker", version: "1.2.3", modules: [aModule()], clock, ...parts });
  return { ...metrics, clock, text: async () => renderMetrics(await metrics.families()) };
}

const lineOf = (text: string, start: string): string | undefined =>
  text.split("\n").find((line) => line.startsWith(start));

describe("the metrics of a worker", () => {
  it("show every series of its stages before the first event", async () => {
    const text = await someMetrics().text();
    expect(text).toContain(
      'reveille_deliveries_total{module="monalProdiOS",outcome="delivered",reason="none"} 0\n',
    );
    expect(text).toContain('reveille_delivery_latency_seconds_bucket{le="+Inf",module="monalProdiOS"} 0\n');
    expect(text).toContain('reveille_dispositions_total{disposition="give-up"} 0\n');
    expect(text).toContain('reveille_breaker_state{module="monalProdiOS",state="closed"} 1\n');
    expect(text).toContain('reveille_build_info{role="worker",version="1.2.3"} 1\n');
    expect(text).not.toContain("reveille_publishes_total");
  });

  it("count a delivery by module, outcome and class of reason", async () => {
    const { observe, text } = someMetrics();
    const settled = {
      kind: "delivery-settled",
      wakeup: aWakeup(),
      age: millis(40),
      took: millis(12),
    } as const;
    observe({ ...settled, outcome: { kind: "delivered", apnsId: "a" }, next: "done" });
    observe({
      ...settled,
      outcome: { kind: "token-dead", reason: "Unregistered", proof: "certain" },
      next: "done",
    });
    observe({
      ...settled,
      outcome: { kind: "unreachable", reason: "SaidNeverBefore" },
      next: "retry",
    });
    const shown = await text();
    const child = (labels: string): string => `reveille_deliveries_total{module="monalProdiOS",${labels}} 1`;
    expect(shown).toContain(child('outcome="delivered",reason="none"'));
    expect(shown).toContain(child('outcome="token-dead",reason="unregistered"'));
    expect(shown).toContain(child('outcome="unreachable",reason="other"'));
    expect(shown).not.toContain("SaidNeverBefore");
    expect(shown).toContain('reveille_delivery_latency_seconds_sum{module="monalProdiOS"} 0.04\n');
    expect(shown).toContain("reveille_push_request_seconds_count 3\n");
  });

  it.each<[Outcome, string]>([
    [{ kind: "delivered", apnsId: "" }, "none"],
    [{ kind: "token-dead", reason: "BadDeviceToken", proof: "suspected" }, "bad-token"],
    [{ kind: "throttled", reason: "TooManyRequests", retryAfter: millis(1) }, "too-many-requests"],
    [{ kind: "unreachable", reason: "ServiceUnavailable" }, "server"],
    [{ kind: "unreachable", reason: "HTTP 502" }, "server"],
    [{ kind: "unreachable", reason: "no free connection within 10 s" }, "connection"],
    [{ kind: "unreachable", reason: "Unregistered" }, "other"],
    [{ kind: "rejected", reason: "InvalidProviderToken", blame: "module" }, "provider-token"],
    [{ kind: "rejected", reason: "module not configured", blame: "module" }, "other"],
  ])("class the reason of %j as %s", (outcome, reason) => {
    expect(reasonClass(outcome)).toBe(reason);
  });

  it("count a module that the configuration no longer has as `other`", async () => {
    const { observe, text } = someMetrics();
    observe({ kind: "wakeup-dropped", wakeup: aWakeup({ module: aModule("gone") }), because: "deadline" });
    expect(await text()).toContain('reveille_dropped_wakeups_total{module="other",because="deadline"} 1\n');
  });

  it("show every series of a module that a reload adds before its first event, and leave the others as they are", async () => {
    const { observe, addModules, text } = someMetrics();
    const settled = { kind: "delivery-settled", age: millis(40), took: millis(12), next: "done" } as const;
    observe({ ...settled, wakeup: aWakeup(), outcome: { kind: "delivered", apnsId: "a" } });
    observe({ kind: "breaker-changed", module: aModule(), state: "open" });
    addModules([aModule(), aModule("new")]);
    const shown = await text();
    const seriesOf = (module: string): number => shown.split(`module="${module}"`).length - 1;
    expect(seriesOf("new")).toBe(seriesOf("monalProdiOS"));
    expect(shown).toContain('reveille_deliveries_total{module="new",outcome="delivered",reason="none"} 0\n');
    expect(shown).toContain('reveille_dropped_wakeups_total{module="new",because="deadline"} 0\n');
    expect(shown).toContain('reveille_delivery_latency_seconds_count{module="new"} 0\n');
    expect(shown).toContain('reveille_breaker_state{module="new",state="closed"} 1\n');
    expect(shown).toContain('reveille_token_guard{module="new",state="off"} 1\n');
    expect(shown).toContain('reveille_delivery_latency_seconds_count{module="monalProdiOS"} 1\n');
    expect(shown).toContain('reveille_breaker_state{module="monalProdiOS",state="open"} 1\n');
  });

  it("follow connections from state to state", async () => {
    const { observe, text } = someMetrics();
    const change = { kind: "connection-state-changed", pool: "production" } as const;
    observe({ ...change, from: undefined, to: "connecting" });
    observe({ ...change, from: "connecting", to: "open" });
    observe({ ...change, from: undefined, to: "connecting" });
    observe({ ...change, from: "connecting", to: "closed" });
    const shown = await text();
    expect(lineOf(shown, 'reveille_push_connections{pool="production",state="open"}')).toMatch(/ 1$/);
    expect(lineOf(shown, 'reveille_push_connections{pool="production",state="connecting"}')).toMatch(/ 0$/);
    expect(lineOf(shown, 'reveille_push_connection_changes_total{pool="production",state="closed"}')).toMatch(
      / 1$/,
    );
  });

  it("keep a label closed even if events name ever new pools", async () => {
    const { observe, text } = someMetrics();
    for (let pool = 0; pool < 100; pool += 1)
      observe({ kind: "goaway-received", pool: `pool ${pool}`, reason: "" });
    const shown = await text();
    expect(shown.match(/^reveille_push_goaways_total/gm)).toHaveLength(33);
    expect(lineOf(shown, 'reveille_push_goaways_total{pool="other"}')).toMatch(/ 68$/);
  });
});

describe("the metrics of an ingress", () => {
  it("count publishes, replies and verdicts", async () => {
    const { observe, text } = someMetrics({ role: "ingress" });
    observe({ kind: "wakeup-admitted", wakeup: aWakeup(), verdict: "now" });
    observe({ kind: "publish-answered", result: "queued", reply: "accepted", took: millis(3) });
    const shown = await text();
    expect(shown).toContain('reveille_wakeups_total{module="monalProdiOS",verdict="now"} 1\n');
    expect(shown).toContain('reveille_publishes_total{result="queued"} 1\n');
    expect(shown).toContain('reveille_replies_total{reply="accepted"} 1\n');
    expect(shown).toContain('reveille_replies_total{reply="forget"} 0\n');
    expect(shown).toContain('reveille_reply_seconds_bucket{le="0.005"} 1\n');
    observe({ kind: "publish-answered", result: "token-dead", reply: "forget", took: millis(3) });
    observe({ kind: "publish-answered", result: "token-dead", reply: "later", took: millis(3) });
    const then = await text();
    expect(then).toContain('reveille_replies_total{reply="forget"} 1\n');
    expect(then).toContain('reveille_replies_total{reply="later"} 1\n');
    expect(shown).not.toContain("reveille_deliveries_total");
  });

  it("show the verdicts on a module that a reload adds before its first wakeup", async () => {
    const { addModules, text } = someMetrics({ role: "ingress" });
    addModules([aModule("new")]);
    expect(await text()).toContain('reveille_wakeups_total{module="new",verdict="merged"} 0\n');
  });

  it("show a component's state as one of a closed set", async () => {
    const { observe, text } = someMetrics({ role: "ingress" });
    observe({ kind: "component-state-changed", component: "eu", state: "active" });
    observe({ kind: "component-state-changed", component: "eu", state: "standby" });
    const shown = await text();
    expect(lineOf(shown, 'reveille_component_state{component="eu",state="active"}')).toMatch(/ 0$/);
    expect(lineOf(shown, 'reveille_component_state{component="eu",state="standby"}')).toMatch(/ 1$/);
    expect(lineOf(shown, 'reveille_self_pings_total{component="eu",result="failed"}')).toMatch(/ 0$/);
  });
});

describe("the metrics of a sidecar", () => {
  const process = { kind: "role-process-changed", role: "worker" } as const;
  const part = { kind: "part-health-changed", role: "worker", part: "queue" } as const;

  it("say nothing of readiness before it was looked at", async () => {
    const { observe, text } = someMetrics({ role: "sidecar" });
    expect(await text()).not.toMatch(/^reveille_host_ready /m);
    observe({ kind: "readiness-changed", ready: false, reasons: ["no ingress runs on this host"] });
    expect(await text()).toMatch(/^reveille_host_ready 0$/m);
  });

  it("miss no canary on a host that never had one, and one that has ended", async () => {
    const { observe, text } = someMetrics({ role: "sidecar" });
    observe({ ...process, pid: 1, state: "answering" });
    expect(await text()).not.toContain("canary");
    observe({ ...process, role: "canary", pid: 2, state: "answering" });
    expect(await text()).toContain('reveille_role_up{role="canary"} 1\n');
    observe({ ...process, role: "canary", pid: 2, state: "gone" });
    expect(await text()).toContain('reveille_role_up{role="canary"} 0\n');
  });

  it("show which roles run and how their parts are", async () => {
    const { observe, text } = someMetrics({ role: "sidecar" });
    expect(await text()).toContain('reveille_role_up{role="worker"} 0\n');
    for (const pid of [1, 2]) {
      observe({ ...process, pid, state: "answering" });
      observe({ ...part, pid, health: { kind: "ready" } });
    }
    observe({ ...part, pid: 2, health: { kind: "failing", because: "away" } });
    const shown = await text();
    expect(shown).toContain('reveille_role_up{role="worker"} 1\n');
    expect(shown).toContain('reveille_role_processes{role="worker",state="answering"} 2\n');
    expect(shown).toContain('reveille_parts{role="worker",part="queue",state="ready"} 1\n');
    expect(shown).toContain('reveille_parts{role="worker",part="queue",state="failing"} 1\n');
  });

  it("know no parts of a process that is silent or gone", async () => {
    const { observe, text } = someMetrics({ role: "sidecar" });
    observe({ ...process, pid: 1, state: "answering" });
    observe({ ...part, pid: 1, health: { kind: "ready" } });
    observe({ ...process, pid: 1, state: "silent", because: "no report" });
    expect(await text()).toContain('reveille_role_processes{role="worker",state="silent"} 1\n');
    expect(await text()).not.toContain("reveille_parts{");
    observe({ ...process, pid: 1, state: "gone" });
    expect(await text()).toContain('reveille_role_processes{role="worker",state="silent"} 0\n');
  });

  it("show whether the host is ready", async () => {
    const { observe, text } = someMetrics({ role: "sidecar" });
    observe({ kind: "readiness-changed", ready: true, reasons: [] });
    expect(await text()).toContain("reveille_host_ready 1\n");
    observe({ kind: "readiness-changed", ready: false, reasons: ["no worker runs on this host"] });
    expect(await text()).toContain("reveille_host_ready 0\n");
  });
});

describe("the metrics of a canary", () => {
  const hostname = "eu.push.example";
  const settled = {
    kind: "canary-settled",
    hostname,
    ok: true,
    reply: "accepted",
    delivery: "delivered",
  } as const;

  it("count rounds by reply and delivery, and show every series of a hostname after its first round", async () => {
    const { observe, text } = someMetrics({ role: "canary" });
    observe({ ...settled, replyTook: millis(12), deliveryTook: millis(71) });
    const shown = await text();
    for (const [reply, count] of Object.entries({
      accepted: 1,
      later: 0,
      forget: 0,
      none: 0,
      "front-failed": 0,
    }))
      expect(shown).toContain(
        `reveille_canary_publishes_total{hostname="${hostname}",reply="${reply}"} ${count}\n`,
      );
    expect(shown).toContain(
      `reveille_canary_deliveries_total{hostname="${hostname}",delivery="delivered"} 1\n`,
    );
    expect(shown).toContain(`reveille_canary_reply_seconds_bucket{le="0.025",hostname="${hostname}"} 1\n`);
    expect(shown).toContain(`reveille_canary_delivery_seconds_bucket{le="0.05",hostname="${hostname}"} 0\n`);
    expect(shown).toContain(`reveille_canary_delivery_seconds_bucket{le="0.1",hostname="${hostname}"} 1\n`);
  });

  it("keep what is known of a hostname while the canary's own front fails", async () => {
    const { observe, text, clock } = someMetrics({ role: "canary" });
    const frontFailed = { ...settled, ok: false, reply: "front-failed", delivery: "unwatched" } as const;
    const newest = () => `reveille_canary_last_success_timestamp_seconds{hostname="${hostname}"}`;
    observe(frontFailed);
    expect(await text()).not.toContain("reveille_canary_ok{");
    observe(settled);
    const at = clock.now() / 1_000;
    await clock.advance(minutes(1));
    observe(frontFailed);
    expect(await text()).toContain(`reveille_canary_ok{hostname="${hostname}"} 1\n`);
    observe({ ...settled, ok: false, reply: "none", delivery: "unwatched" });
    const shown = await text();
    expect(shown).toContain(`reveille_canary_ok{hostname="${hostname}"} 0\n`);
    expect(shown).toContain(`${newest()} ${at}\n`);
  });
});

describe("the metrics of any process", () => {
  it("tell its resources, which do not go backwards where they count", async () => {
    const metrics = someMetrics();
    const valueOf = async (name: string): Promise<number> => {
      const family = (await metrics.families()).find((family) => family.name === name);
      return family?.values[0]?.value ?? Number.NaN;
    };
    const before = await valueOf("process_cpu_seconds_total");
    expect(before).toBeGreaterThan(0);
    expect(await valueOf("process_cpu_seconds_total")).toBeGreaterThanOrEqual(before);
    expect(await valueOf("nodejs_eventloop_active_seconds_total")).toBeGreaterThan(0);
    expect(await valueOf("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
    expect(await valueOf("process_max_fds")).toBeGreaterThan(await valueOf("process_open_fds"));
  });

  it("follow trouble with Redis by connection", async () => {
    const { observe, text } = someMetrics({ role: "ingress" });
    observe({ kind: "redis-trouble", connection: "producer", because: "ECONNREFUSED" });
    expect(await text()).toContain('reveille_redis_trouble{role="ingress",connection="producer"} 1\n');
    observe({ kind: "redis-recovered", connection: "producer" });
    observe({ kind: "redis-room-changed", full: true, share: 0.91 });
    observe({ kind: "redis-durability-changed", because: "Redis writes no append-only file" });
    const shown = await text();
    expect(shown).toContain('reveille_redis_full{role="ingress"} 1\n');
    expect(shown).toContain('reveille_redis_durability_weak{role="ingress"} 1\n');
    expect(shown).toContain('reveille_redis_trouble{role="ingress",connection="producer"} 0\n');
    expect(shown).toContain('reveille_redis_troubles_total{role="ingress",connection="producer"} 1\n');
    expect(shown).not.toContain("ECONNREFUSED");
  });
});

describe("a reading", () => {
  const queue = { kind: "queue", waiting: 3, active: 1, delayed: 2, oldest: seconds(7) } as const;

  it("is taken when the metrics are asked for, at most every 5 s", async () => {
    const { addReading, text, clock } = someMetrics();
    let waiting = 3;
    addReading(() => [{ ...queue, waiting }]);
    expect(await text()).toContain('reveille_queue_batches{state="waiting"} 3\n');
    waiting = 4;
    expect(await text()).toContain('reveille_queue_batches{state="waiting"} 3\n');
    await clock.advance(seconds(5));
    expect(await text()).toContain('reveille_queue_batches{state="waiting"} 4\n');
    expect(await text()).toContain("reveille_queue_oldest_seconds 7\n");
  });

  it.each<[string, () => Promise<never>]>([
    ["fails", () => Promise.reject(new Error("redis is away"))],
    ["hangs", () => new Promise(() => undefined)],
  ])("that %s makes its gauges vanish, and holds up nothing else", async (_how, broken) => {
    const { addReading, text, clock } = someMetrics();
    addReading(() => [{ kind: "trailing", devices: 5 }]);
    addReading(() => (clock.monotonic() === 0 ? [queue] : broken()));
    expect(await text()).toContain("reveille_queue_oldest_seconds 7\n");
    await clock.advance(minutes(1));
    const asked = text();
    await expect.poll(() => clock.sleepers).toBeGreaterThan(0);
    await clock.advance(millis(500));
    expect(await asked).toContain("reveille_trailing_devices 5\n");
    expect(await asked).not.toContain("reveille_queue_oldest_seconds 7\n");
  });
});

const aFamily = (parts: Partial<MetricFamily>): MetricFamily => ({
  name: "reveille_things_total",
  help: "Things.",
  type: "counter",
  aggregator: "sum",
  values: [],
  ...parts,
});

describe("the metrics of several processes", () => {
  it("are summed by series, whatever the order of labels", () => {
    const [merged] = mergeFamilies([
      [aFamily({ values: [{ value: 1, labels: { a: "x", b: "y" } }] })],
      [
        aFamily({
          values: [
            { value: 2, labels: { b: "y", a: "x" } },
            { value: 5, labels: { a: "x", b: "z" } },
          ],
        }),
      ],
    ]);
    expect(merged?.values.map(({ value }) => value)).toEqual([3, 5]);
  });

  it("keep the buckets, sum and count of a histogram apart", async () => {
    const one = someMetrics();
    const other = someMetrics();
    for (const each of [one, other]) each.observe({ kind: "batch-taken", wakeups: 8, waited: millis(2) });
    const text = renderMetrics(mergeFamilies([await one.families(), await other.families()]));
    expect(text).toContain('reveille_batch_wakeups_bucket{le="4"} 0\n');
    expect(text).toContain('reveille_batch_wakeups_bucket{le="8"} 2\n');
    expect(text).toContain("reveille_batch_wakeups_sum 16\n");
    expect(text).toContain("reveille_batch_wakeups_count 2\n");
    expect(text).toContain('reveille_build_info{role="worker",version="1.2.3"} 2\n');
  });

  it.each([
    ["sum", 6],
    ["min", 1],
    ["max", 3],
    ["average", 2],
    ["first", 3],
    ["an aggregator of a later version", 6],
  ])("merge a gauge by %s", (aggregator, merged) => {
    const processes = [3, 1, 2].map((value) => [
      aFamily({ type: "gauge", aggregator, values: [{ value, labels: {} }] }),
    ]);
    expect(mergeFamilies(processes)[0]?.values).toEqual([{ value: merged, labels: {} }]);
  });

  it("leave out what makes no sense for several", () => {
    expect(mergeFamilies([[aFamily({ aggregator: "omit" })]])).toEqual([]);
  });
});

describe("the text for Prometheus", () => {
  const family = aFamily({ help: "a \\ b\nc", values: [{ value: 1, labels: { text: 'say "hi"\n\\' } }] });

  it("escapes help and labels", () => {
    expect(renderMetrics([family])).toBe(
      String.raw`# HELP reveille_things_total a \\ b\nc
# TYPE reveille_things_total counter
reveille_things_total{text="say \"hi\"\n\\"} 1
`,
    );
  });

  it("names a counter in OpenMetrics without its suffix, writes bounds as floats and ends with EOF", () => {
    const buckets = [1, 0.5, "+Inf"].map((le) => ({ value: 2, labels: { le }, metricName: "h_bucket" }));
    const histogram = aFamily({ name: "h", type: "histogram", values: buckets });
    expect(renderMetrics([aFamily({ values: [{ value: 1, labels: {} }] }), histogram], "openmetrics")).toBe(
      `# HELP reveille_things Things.
# TYPE reveille_things counter
reveille_things_total 1
# HELP h Things.
# TYPE h histogram
h_bucket{le="1.0"} 2
h_bucket{le="0.5"} 2
h_bucket{le="+Inf"} 2
# EOF
`,
    );
  });

  it("writes numbers that are none as Prometheus does", () => {
    const values = [Number.NaN, Infinity, -Infinity].map((value, at) => ({ value, labels: { at } }));
    expect(
      renderMetrics([aFamily({ values })])
        .match(/\S+$/gm)
        ?.slice(2),
    ).toEqual(["NaN", "+Inf", "-Inf"]);
  });
});
