import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { aHost } from "./testing/a-host.ts";
import { counter, gauge } from "./testing/some-metrics.ts";

const systemTime: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

describe("a sidecar", () => {
  it("tells of a role whether it lives: runs, answers and is not stuck", async () => {
    await using host = await aHost();
    const sidecar = await host.start();
    expect(await sidecar.get("/live/worker")).toMatchObject({
      status: 503,
      text: JSON.stringify({ live: false, reasons: ["no worker runs on this host"] }),
    });
    const worker = await host.role({
      parts: [{ part: "redis", health: { kind: "failing", because: "away" } }],
    });
    await host.clock.polls();
    expect(await sidecar.get("/live/worker")).toMatchObject({ status: 200 });
    expect(await sidecar.get("/live/ingress")).toMatchObject({ status: 503 });
    worker.set({ parts: [{ part: "queue", health: { kind: "failing", because: "hangs", stuck: true } }] });
    await host.clock.polls();
    expect(await sidecar.get("/live/worker")).toMatchObject({
      status: 503,
      text: JSON.stringify({ live: false, reasons: ["worker 1 is stuck"] }),
    });
    worker.set({ parts: [{ part: "queue", health: { kind: "ready" } }] });
    worker.hang();
    await host.clock.pollOfHung();
    expect(await sidecar.get("/live/worker")).toMatchObject({ status: 503 });
  });

  it("is alive without any role, and not ready", async () => {
    await using host = await aHost();
    const sidecar = await host.start();
    expect(await sidecar.get("/live")).toMatchObject({ status: 200 });
    const { status, text } = await sidecar.get("/ready");
    expect(status).toBe(503);
    expect(JSON.parse(text)).toEqual({
      ready: false,
      reasons: ["no ingress runs on this host"],
    });
  });

  it("says that it cannot see the roles, when that is so", async () => {
    await using host = await aHost();
    await using file = await mkdtempDisposable(join(tmpdir(), "reveille-file-"));
    const runtimeDir = join(file.path, "run");
    await writeFile(runtimeDir, "");
    const sidecar = await host.start({ runtimeDir });
    expect((await sidecar.get("/ready")).text).toContain(
      `cannot look into ${runtimeDir}: it is no folder: mend the path (ENOTDIR)`,
    );
  });

  it("is ready when one ingress has all parts ready, whatever the workers here do: others share their queue", async () => {
    await using host = await aHost();
    await host.role({ role: "ingress", pid: 7 });
    await host.role({
      role: "ingress",
      pid: 8,
      parts: [{ part: "component", health: { kind: "starting" } }],
    });
    await host.role({ parts: [{ part: "apns", health: { kind: "starting" } }] });
    const sidecar = await host.start();
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200, text: `{"ready":true,"reasons":[]}` });
  });

  it("says which part of which process is in trouble", async () => {
    await using host = await aHost();
    await host.role({
      role: "ingress",
      pid: 7,
      parts: [
        { part: "component", health: { kind: "failing", because: "the front refuses connections" } },
        { part: "redis", health: { kind: "ready" } },
        { part: "region-worker", health: { kind: "failing", because: "none can send" } },
      ],
    });
    await host.role({
      parts: [{ part: "queue", health: { kind: "draining" } }],
    });
    const sidecar = await host.start();
    expect(JSON.parse((await sidecar.get("/ready")).text)).toEqual({
      ready: false,
      reasons: [
        "ingress 7: component is failing: the front refuses connections",
        "ingress 7: region-worker is failing: none can send",
        "worker 1: queue is draining",
      ],
    });
  });

  it("bears a restart of two seconds, and trusts a host again after five", async () => {
    await using host = await aHost();
    const ingress = await host.role({ role: "ingress", pid: 7 });
    const sidecar = await host.start();
    const status = async (): Promise<number> => (await sidecar.get("/ready")).status;
    const seenAfter = async (ticks: number): Promise<number> => {
      await host.clock.polls(ticks);
      return status();
    };
    ingress.set({ parts: [{ part: "component", health: { kind: "failing", because: "away" } }] });
    expect(await seenAfter(2)).toBe(200);
    expect(await seenAfter(1)).toBe(503);
    ingress.set({ parts: [{ part: "component", health: { kind: "ready" } }] });
    expect(await seenAfter(5)).toBe(503);
    expect(await seenAfter(1)).toBe(200);
    expect(host.events.filter(({ kind }) => kind === "readiness-changed")).toMatchObject([
      { ready: true },
      { ready: false, reasons: ["ingress 7: component is failing: away"] },
      { ready: true },
    ]);
  });

  it("bears a failover of Redis, through which publishes are held", async () => {
    await using host = await aHost();
    const ingress = await host.role({ role: "ingress", pid: 7 });
    const sidecar = await host.start();
    ingress.set({ parts: [{ part: "redis", health: { kind: "failing", because: "away" } }] });
    await host.clock.polls(8);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200 });
    await host.clock.polls(1);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 503 });
  });

  it("bears what a failover of Redis leaves behind as long as the failover", async () => {
    await using host = await aHost();
    const ingress = await host.role({ role: "ingress", pid: 7 });
    const sidecar = await host.start();
    ingress.set({ parts: [{ part: "redis", health: { kind: "failing", because: "away" } }] });
    await host.clock.polls(4);
    ingress.set({ parts: [{ part: "region-worker", health: { kind: "failing", because: "none" } }] });
    await host.clock.polls(4);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200 });
    await host.clock.polls(1);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 503 });
  });

  it("sends traffic elsewhere at once when an operator drains the host, though all works", async () => {
    await using host = await aHost();
    await host.role({ role: "ingress", pid: 7 });
    const sidecar = await host.start();
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200 });
    await writeFile(join(host.runtimeDir, "draining"), "");
    await host.clock.polls();
    expect(await sidecar.get("/ready")).toMatchObject({
      status: 503,
      text: `{"ready":false,"reasons":["draining"]}`,
    });
    await rm(join(host.runtimeDir, "draining"));
    await host.clock.polls(6);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200 });
  });

  it("answers within 5 ms while a role hangs, or as fast as before on a busy machine", async () => {
    await using host = await aHost();
    const ingress = await host.role({ role: "ingress", pid: 7 });
    const sidecar = await host.start({ clock: systemTime });
    const median = async (): Promise<number> => {
      const times: number[] = [];
      for (let asked = 0; asked < 100; asked += 1) {
        const from = performance.now();
        await sidecar.get("/ready");
        times.push(performance.now() - from);
      }
      return times.toSorted((one, other) => one - other)[50] ?? Infinity;
    };
    await median();
    const before = await median();
    ingress.hang();
    // A poll begins each second and then waits 0.9 s in vain. Again, in case the machine is busy with other tests.
    await vi.waitFor(async () => expect(await median()).toBeLessThan(Math.max(5, 2 * before)));
    await vi.waitFor(async () => expect((await sidecar.get("/ready")).status).toBe(503));
  });

  it("is ready as long as one of several parts that stand in for each other is", async () => {
    await using host = await aHost();
    const refused = {
      part: "apns sandbox",
      health: { kind: "failing", because: "403" },
      anyOf: "apns",
    } as const;
    const ingress = await host.role({
      role: "ingress",
      parts: [refused, { part: "apns production", health: { kind: "ready" }, anyOf: "apns" }],
    });
    const sidecar = await host.start();
    expect(await sidecar.get("/ready")).toMatchObject({ status: 200 });
    ingress.set({ parts: [refused, { part: "queue", health: { kind: "ready" } }] });
    await host.clock.polls(3);
    expect(await sidecar.get("/ready")).toMatchObject({ status: 503 });
  });

  it("tells how parts change, and of those of a new process under an old id", async () => {
    await using host = await aHost();
    const worker = await host.role();
    await host.start();
    const failing = { kind: "failing", because: "away" } as const;
    worker.set({ parts: [{ part: "redis", health: failing }] });
    await host.clock.polls(2);
    worker.set({ startedAt: 2 });
    await host.clock.polls();
    const about = { role: "worker", pid: 1 } as const;
    const part = { kind: "part-health-changed", ...about, part: "redis" } as const;
    const process = { kind: "role-process-changed", ...about } as const;
    expect(host.events.filter(({ kind }) => kind !== "readiness-changed")).toEqual([
      { ...process, state: "answering" },
      { ...part, health: { kind: "ready" } },
      { ...part, health: failing },
      { ...process, state: "gone" },
      { ...process, state: "answering" },
      { ...part, health: failing },
    ]);
  });

  it("hears of parts anew when a process has others than before", async () => {
    await using host = await aHost();
    const worker = await host.role();
    await host.start();
    worker.set({ parts: [{ part: "queue", health: { kind: "ready" } }] });
    await host.clock.polls();
    expect(host.events.filter(({ kind }) => kind === "part-health-changed")).toMatchObject([
      { part: "redis" },
      { part: "queue" },
    ]);
    expect(host.events.filter(({ kind }) => kind === "role-process-changed")).toHaveLength(2);
  });

  it("does not trust a process that tells of no parts", async () => {
    await using host = await aHost();
    await host.role({ role: "ingress", pid: 7, parts: [] });
    await host.role();
    const sidecar = await host.start();
    expect((await sidecar.get("/ready")).text).toBe(
      `{"ready":false,"reasons":["ingress 7 tells nothing of its parts"]}`,
    );
  });

  it("sees that a process has ended and taken its socket with it", async () => {
    await using host = await aHost();
    const worker = await host.role();
    await host.start();
    await worker.end();
    await host.clock.polls();
    expect(host.events.at(-1)).toMatchObject({ kind: "role-process-changed", state: "gone" });
  });

  it("believes the newest poll, though an older one ends later", async () => {
    await using host = await aHost();
    const worker = await host.role();
    const { answers, pollHealth, pollAll } = host.watch();
    await pollAll();
    worker.hang();
    const old = pollHealth();
    await vi.waitUntil(() => worker.asked.length === 2);
    worker.wake();
    await pollAll();
    await host.clock.patienceEnds(1);
    await old;
    expect(answers.liveness("worker")).toEqual({ live: true, reasons: [] });
    expect(host.events).not.toContainEqual(expect.objectContaining({ state: "silent" }));
  });

  it("takes no report of a process that never stops talking, and tells so", async () => {
    await using host = await aHost();
    const worker = await host.role();
    const sidecar = await host.start();
    worker.set({ version: "x".repeat(9 * 1024 * 1024) });
    await host.clock.polls();
    expect(host.events.at(-1)).toMatchObject({
      state: "silent",
      because: "a report longer than 8 MiB: restart it",
    });
    expect(await sidecar.get("/ready")).toMatchObject({ status: 503 });
  });

  it("tells who comes, falls silent and goes", async () => {
    await using host = await aHost();
    const worker = await host.role();
    await host.start();
    worker.hang();
    await host.clock.pollOfHung();
    await worker.kill();
    await host.clock.polls();
    expect(host.events.filter(({ kind }) => kind === "role-process-changed")).toEqual([
      { kind: "role-process-changed", role: "worker", pid: 1, state: "answering" },
      {
        kind: "role-process-changed",
        role: "worker",
        pid: 1,
        state: "silent",
        because: "no report within 0.9 s",
      },
      { kind: "role-process-changed", role: "worker", pid: 1, state: "gone" },
    ]);
  });
});

describe("the metrics of a host", () => {
  it("are asked anew at each scrape, and merged", async () => {
    await using host = await aHost();
    const one = await host.role({ metrics: [counter(1)] });
    await host.role({ pid: 2, metrics: [counter(10)] });
    const sidecar = await host.start();
    one.set({ metrics: [counter(2)] });
    const { status, headers, text } = await sidecar.get("/metrics");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain");
    expect(text).toContain("things_total = 12\n");
  });

  it("are asked for in the background every five seconds, health every second", async () => {
    await using host = await aHost();
    const worker = await host.role();
    await host.start();
    await host.clock.polls(10);
    const health = Array.from({ length: 4 }, () => "/report?metrics=none");
    expect(worker.asked).toEqual(["/report", ...health, "/report", ...health, "/report"]);
  });

  it("asked for by several at once are fetched once", async () => {
    await using host = await aHost();
    const worker = await host.role();
    const { answers } = host.watch();
    worker.hang();
    const scrapes = [answers.metrics("prometheus"), answers.metrics("openmetrics")];
    await vi.waitUntil(() => worker.asked.length > 0);
    await host.clock.patienceEnds(1);
    await Promise.all(scrapes);
    expect(worker.asked).toEqual(["/report"]);
  });

  it("come together with the health that the background asks for meanwhile", async () => {
    await using host = await aHost();
    const worker = await host.role();
    const { pollAll, pollHealth } = host.watch();
    worker.hang();
    const polls = [pollAll(), pollHealth()];
    await vi.waitUntil(() => worker.asked.length > 0);
    await host.clock.patienceEnds(1);
    await Promise.all(polls);
    expect(worker.asked).toEqual(["/report"]);
  });

  it("show a new process by itself", async () => {
    await using host = await aHost();
    const sidecar = await host.start();
    await host.role({ metrics: [counter(1)] });
    expect((await sidecar.get("/metrics")).text).toContain("things_total = 1\n");
  });

  it("don't go backwards when a process ends or starts again, and its gauges vanish", async () => {
    await using host = await aHost();
    const sidecar = await host.start();
    const total = async (): Promise<string> => (await sidecar.get("/metrics")).text;
    const worker = await host.role({ metrics: [counter(5), gauge(3)] });
    expect(await total()).toContain("things_total = 5\n");
    worker.set({ startedAt: 2, metrics: [counter(1), gauge(4)] });
    expect(await total()).toContain("things_total = 6\n");
    expect(await total()).toContain("level = 4\n");
    await worker.kill();
    expect(await total()).toContain("things_total = 6\n");
    expect(await total()).not.toContain("level");
    await host.role({ pid: 9, metrics: [counter(2)] });
    expect(await total()).toContain("things_total = 8\n");
  });

  it("outlive a process that was only asked for its health since", async () => {
    await using host = await aHost();
    const worker = await host.role({ metrics: [counter(5)] });
    const sidecar = await host.start();
    await host.clock.polls();
    await worker.kill();
    expect((await sidecar.get("/metrics")).text).toContain("things_total = 5\n");
  });

  it("of a process that hangs keep its counters, hold up no scrape for more than a second, and show it", async () => {
    await using host = await aHost();
    const worker = await host.role({ metrics: [counter(5), gauge(3)] });
    const sidecar = await host.start();
    worker.hang();
    const scrape = sidecar.get("/metrics");
    await host.clock.patienceEnds(2);
    const { text } = await scrape;
    expect(text).toContain("things_total = 5\n");
    expect(text).not.toContain("level");
  });

  it.each([
    [
      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
    ["text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.1", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    ["*/*", "prometheus"],
    ["nonsense;;q=x,", "prometheus"],
  ])("come for `accept: %s` as %s", async (accept, format) => {
    await using host = await aHost();
    const sidecar = await host.start();
    expect((await sidecar.get("/metrics", { accept })).text).toMatch(new RegExp(`^${format}\n`));
  });
});
