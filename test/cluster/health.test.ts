import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Region, startRegion } from "@reveille/demo";
import { freePort, type Program, until } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { documentedMetrics } from "../metrics/documented-metrics.ts";
import { field, textAt } from "../metrics/fields.ts";
import { type Family, parseExposition, type Sample } from "../metrics/exposition.ts";
import { lintOf } from "../metrics/promtool.ts";
import { withFront } from "./with-front.ts";

const FOLDER = join(import.meta.dirname, "../output/cluster/health");
const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const WITHIN = 60_000;
const run = promisify(execFile);
const DELIVERED = { module: "monalProdiOS", outcome: "delivered" };
const GROWING = new Set(["counter", "histogram"]);

/** Shown only where there is a replica; `packages/queue/src/redis-facts.redis.test.ts` has one. */
const NOT_HERE = new Set(["reveille_redis_replication_lag_bytes", "reveille_redis_replication_lag_seconds"]);

/** What operators may count on from the first scrape on, with one label each that takes part in it. */
const FROM_THE_START: Readonly<Record<string, readonly [name: string, labels?: Sample["labels"]]>> = {
  "publishes by result": ["reveille_publishes_total", { result: "queued" }],
  "replies by type": ["reveille_replies_total", { reply: "accepted" }],
  "wakeups by verdict": ["reveille_wakeups_total", { module: "monalProdiOS", verdict: "now" }],
  batches: ["reveille_batches_total"],
  "queue depth": ["reveille_queue_batches", { state: "waiting" }],
  "oldest wakeup age": ["reveille_queue_oldest_seconds"],
  "trailing backlog": ["reveille_trailing_devices"],
  "outcomes by module and reason class": [
    "reveille_deliveries_total",
    { module: "certified", outcome: "rejected", reason: "certificate" },
  ],
  "latency from arrival to APNs": [
    "reveille_delivery_latency_seconds",
    { module: "monalProdiOS", le: "0.1" },
  ],
  "APNs connections by state": ["reveille_push_connections", { state: "open" }],
  "stream limit": ["reveille_push_stream_limit"],
  GOAWAYs: ["reveille_push_goaways_total"],
  "breaker state": ["reveille_breaker_state", { module: "monalProdiOS", state: "open" }],
  "credential expiry": ["reveille_credential_expiry_timestamp_seconds", { module: "certified" }],
  "provider-token age": ["reveille_provider_token_issued_timestamp_seconds"],
  "Redis role": ["reveille_redis_role", { state: "primary" }],
  "Redis replicas": ["reveille_redis_replicas"],
  "Redis memory": ["reveille_redis_memory_bytes", { kind: "used" }],
  "component state": ["reveille_component_state", { state: "standby" }],
  "self-ping time": ["reveille_self_ping_seconds", { le: "+Inf" }],
  "shed publishes": ["reveille_publishes_total", { result: "overload" }],
  "held publishes": ["reveille_held_publishes"],
  "replies that delete a registration": ["reveille_replies_total", { reply: "forget" }],
  "build info": ["reveille_build_info", { role: "worker" }],
};

let region: Region;

beforeAll(async () => {
  const certified = await moduleByCertificate();
  region = await startRegion({
    folder: join(FOLDER, "region"),
    doubles: ["sender.test"],
    modules: { certified },
  });
});
afterAll(async () => {
  await region[Symbol.asyncDispose]();
});

/** A module with a certificate, which expires, unlike a key. */
async function moduleByCertificate(): Promise<object> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const [certFile, certKeyFile] = [join(FOLDER, "app.pem"), join(FOLDER, "app.key")];
  const subject = "req -x509 -newkey rsa:2048 -nodes -days 20 -subj /CN=app";
  await run("openssl", [...subject.split(" "), "-out", certFile, "-keyout", certKeyFile]);
  // Nobody is there: it only has to expire.
  const endpoint = `https://127.0.0.1:${await freePort()}`;
  return { apns: { topic: "org.example", environment: "sandbox", certFile, certKeyFile, endpoint } };
}

async function scrape(): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(`${region.sidecarUrl}/metrics`);
  return parseExposition(await response.text());
}

const valueOf = (families: ReadonlyMap<string, Family>, name: string, labels: Sample["labels"]) =>
  families
    .get(name)
    ?.samples.find((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text))
    ?.value;

/** Everything that may only grow, by series. */
const growing = (families: ReadonlyMap<string, Family>): ReadonlyMap<string, number> =>
  new Map(
    [...families.values()]
      .filter(({ type }) => GROWING.has(type))
      .flatMap(({ samples }) => samples)
      .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value]),
  );

/** The series that have less than before, or are gone. */
function fallen(
  before: ReadonlyMap<string, number>,
  families: ReadonlyMap<string, Family>,
): readonly string[] {
  const after = growing(families);
  return [...before]
    .filter(([series, value]) => !((after.get(series) ?? -1) >= value))
    .map(([series]) => series);
}

async function metric(name: string, labels: Sample["labels"], value: number): Promise<void> {
  await until(async () => (valueOf(await scrape(), name, labels) === value ? true : undefined), {
    what: `${name} to be ${value}`,
    withinMs: WITHIN,
    everyMs: 200,
  });
}

interface Ready {
  readonly status: number;
  readonly text: string;
}

const ready = async (): Promise<Ready> => {
  const response = await fetch(`${region.sidecarUrl}/ready`);
  return { status: response.status, text: await response.text() };
};

const readiness = async (accepts: (now: Ready) => boolean): Promise<Ready> =>
  until(
    async () => {
      const now = await ready();
      return accepts(now) ? now : undefined;
    },
    { what: "a change of readiness", withinMs: WITHIN, everyMs: 100 },
  );

/** Not ready, and this among the reasons: a busy machine may have others before. */
const unready = async (reason: RegExp | string): Promise<Ready> =>
  readiness(
    ({ status, text }) =>
      status === 503 && (typeof reason === "string" ? text.includes(reason) : reason.test(text)),
  );

const isReady = async (): Promise<Ready> => readiness(({ status }) => status === 200);

const reveille = async (...command: readonly string[]): Promise<void> =>
  void (await run(process.execPath, [CLI, ...command, "--config", region.configFile]));

/** A Redis that lacks its replicas answers, and refuses to write. */
async function redisTakesWrites(does: boolean): Promise<void> {
  const config: unknown = JSON.parse(await readFile(region.configFile, "utf8"));
  const socket = textAt(field(config, "redis"), "url").replace("redis+unix://", "");
  await run("redis-cli", ["-s", socket, "config", "set", "min-replicas-to-write", does ? "0" : "1"]);
}

async function runtimeDir(): Promise<string> {
  const config: unknown = JSON.parse(await readFile(region.configFile, "utf8"));
  return textAt(config, "runtimeDir");
}

async function publish(count: number): Promise<readonly string[]> {
  await using server = await region.openDouble("sender.test");
  const replies = await Promise.all(
    Array.from({ length: count }, async (_none, index) =>
      server.publish({
        to: region.hostname,
        node: (count * 1_000 + index).toString(16).padStart(64, "0"),
        module: "monalProdiOS",
      }),
    ),
  );
  return replies.map(({ type }) => type);
}

async function keepOn(stop: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!stop.aborted) {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What `measure` finds, again if it is not below `wanted`: what else the machine does can only add to it. */
async function atBest(wanted: number, measure: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let attempt = 0; attempt < 4 && !(best < wanted); attempt += 1) best = Math.min(best, await measure());
  return best;
}

/** From asking to the whole answer, in milliseconds. */
async function timeOf(url: string, agent: Agent): Promise<number> {
  const from = performance.now();
  await new Promise<void>((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().once("end", resolve)).once("error", reject);
  });
  return performance.now() - from;
}

describe("the metrics of a running region", () => {
  it("have what an operator counts on before the first publish, and each counter at 0", async () => {
    const shown = await until(
      async () => {
        const families = await scrape();
        return families.get("reveille_push_stream_limit")?.samples.length === 1 ? families : undefined;
      },
      { what: "a connection to APNs", withinMs: WITHIN },
    );
    const values = Object.entries(FROM_THE_START).map(
      ([what, [name, labels = {}]]) => [what, valueOf(shown, name, labels)] as const,
    );
    expect(values.filter(([, value]) => value === undefined)).toEqual([]);
    const counted = [...growing(shown)].filter(([series]) =>
      /publishes|replies|wakeups|batches|deliver/.test(series),
    );
    expect(counted.length).toBeGreaterThan(100);
    expect(counted.filter(([, value]) => value !== 0)).toEqual([]);
  });

  it("are those of docs/metrics.md, with their types and labels, and closed labels show before their first event", async () => {
    await using canary = await region.startRole("canary", "canary");
    // The region's own front is a Prosody.
    await using front = await region.startRole("front", "front", await withFront(region));
    const shown = await until(
      async () => {
        const families = await scrape();
        const isThere = (name: string): boolean => (families.get(name)?.samples.length ?? 0) > 0;
        return [
          "reveille_push_stream_limit",
          "reveille_canary_last_success_timestamp_seconds",
          "reveille_front_connections",
        ].every(isThere)
          ? families
          : undefined;
      },
      { what: "a connection to APNs and a canary's first round", withinMs: WITHIN },
    );
    expect([canary.running, front.running]).toEqual([true, true]);
    const documented = documentedMetrics();
    const missing = [...documented.keys()].filter((name) => !shown.has(name) && !NOT_HERE.has(name));
    expect(missing).toEqual([]);
    expect([...shown.keys()].filter((name) => !documented.has(name))).toEqual([]);
    const wrong = [...shown].flatMap(([name, { type, samples }]) => {
      const row = documented.get(name);
      if (row === undefined || NOT_HERE.has(name)) return [];
      const used = new Set(
        samples.flatMap(({ labels }) => Object.keys(labels)).filter((one) => one !== "le"),
      );
      const isSame =
        type === row.type && [...used].toSorted().join() === [...row.labels.keys()].toSorted().join();
      const unseen = [...row.labels].flatMap(([label, values]) =>
        values.filter((value) => !samples.some(({ labels }) => labels[label] === value)),
      );
      return isSame && unseen.length === 0 ? [] : [{ name, type, used: [...used], unseen }];
    });
    expect(wrong).toEqual([]);
  });

  it("are as Prometheus wants them", async () => {
    expect(await lintOf(await (await fetch(`${region.sidecarUrl}/metrics`)).text())).toBe("");
    expect(await lintOf("nonsense_total{ 1\n")).not.toBe("");
  });

  it("come as OpenMetrics when asked", async () => {
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    const response = await fetch(`${region.sidecarUrl}/metrics`, { headers: { accept } });
    expect(response.headers.get("content-type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const text = await response.text();
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).toMatch(/^# TYPE reveille_publishes counter$/m);
  });

  it("tell of the front's certificate, of Redis, and of the provider token", async () => {
    const now = Date.now() / 1_000;
    await until(
      async () => {
        const [sample] =
          (await scrape()).get("reveille_front_certificate_expiry_timestamp_seconds")?.samples ?? [];
        return (sample?.value ?? 0) > now + 300 * 86_400 ? true : undefined;
      },
      { what: "the certificate that the front serves", withinMs: WITHIN },
    );
    await publish(1);
    await metric("reveille_deliveries_total", DELIVERED, 1);
    const shown = await scrape();
    expect(valueOf(shown, "reveille_redis_role", { state: "primary" })).toBe(1);
    expect(valueOf(shown, "reveille_redis_memory_bytes", { kind: "used" })).toBeGreaterThan(0);
    const issued = valueOf(shown, "reveille_provider_token_issued_timestamp_seconds", {}) ?? 0;
    expect(now - issued).toBeGreaterThan(0);
    expect(now - issued).toBeLessThan(3_600);
  });

  it("never go backwards though workers are killed, and show who is missing, who came and who hangs", async () => {
    const workers = (state: string) => ({ role: "worker", state });
    expect(new Set(await publish(200))).toEqual(new Set(["result"]));
    await metric("reveille_deliveries_total", DELIVERED, 201);
    const before = growing(await scrape());

    await region.workers[0]?.kill();
    await metric("reveille_role_processes", workers("answering"), 1);
    const third = await region.startRole("worker", "worker-3");
    await metric("reveille_role_processes", workers("answering"), 2);

    third.signal("SIGSTOP");
    const seconds = await atBest(2, async () => {
      const from = performance.now();
      const hung = await scrape();
      const took = (performance.now() - from) / 1_000;
      expect(valueOf(hung, "reveille_role_processes", workers("silent"))).toBe(1);
      expect(fallen(before, hung)).toEqual([]);
      return took;
    });
    // A second is the promise; the rest is what a busy machine may take to answer at all.
    expect(seconds).toBeLessThan(2);
    third.signal("SIGCONT");
    await metric("reveille_role_processes", workers("answering"), 2);
    await third.stop();
  });
});

describe("the readiness of a running host", () => {
  let onlyWorker: Program | undefined;

  it("is told from memory: within 5 ms for 99 of 100 that ask while publishes, scrapes and visitors come", async () => {
    const stop = new AbortController();
    const load = Promise.all([
      keepOn(stop.signal, async () => publish(20)),
      keepOn(stop.signal, scrape),
      keepOn(stop.signal, async () => (await fetch(region.statusUrl)).text()),
    ]);
    const agent = new Agent({ keepAlive: true });
    const slowest = async (): Promise<number> => {
      const times: number[] = [];
      for (let asked = 0; asked < 500; asked += 1)
        times.push(await timeOf(`${region.sidecarUrl}/ready`, agent));
      return times.toSorted((one, other) => one - other)[494] ?? Infinity;
    };
    // Again, in case the machine is busy with something else.
    await expect.poll(slowest, { timeout: WITHIN, interval: 0 }).toBeLessThan(5);
    stop.abort();
    await load;
    agent.destroy();
  });

  it("lasts while another worker of the region can send, and ends with the last one", async () => {
    expect(await isReady()).toEqual({ status: 200, text: `{"ready":true,"reasons":[]}` });
    await region.workers[1]?.kill();
    expect((await unready("region-worker is failing: none can send")).status).toBe(503);
    onlyWorker = await region.startRole("worker", "worker-4");
    await isReady();
  });

  it("ends when the only worker is frozen, and when an operator pauses the queue", async () => {
    onlyWorker?.signal("SIGSTOP");
    expect((await unready("region-worker is failing: none can send")).status).toBe(503);
    onlyWorker?.signal("SIGCONT");
    await isReady();
    await reveille("queue", "pause");
    expect((await unready("queue is failing: it is paused")).status).toBe(503);
    await reveille("queue", "resume");
    await isReady();
  });

  it("ends at once when an operator drains the host, while all works on", async () => {
    const mark = join(await runtimeDir(), "draining");
    await writeFile(mark, "");
    expect(await readiness(({ status }) => status === 503)).toEqual({
      status: 503,
      text: `{"ready":false,"reasons":["draining"]}`,
    });
    expect(await publish(1)).toEqual(["result"]);
    await rm(mark);
    await isReady();
  });

  it("ends when Redis takes no writes, and says why", async () => {
    await redisTakesWrites(false);
    const { text } = await unready("redis-writes is failing: ");
    expect(text).not.toContain("redis is failing");
    await redisTakesWrites(true);
    await isReady();
  });

  it("ends when Redis hangs, and says why", async () => {
    region.redis.signal("SIGSTOP");
    expect((await unready(/redis(?:-writes)? is failing: /)).status).toBe(503);
    region.redis.signal("SIGCONT");
    await isReady();
  });

  it("ends when the ingress hangs", async () => {
    const seconds = await atBest(6, async () => {
      region.ingress.signal("SIGSTOP");
      const from = performance.now();
      await unready("no report within 0.9 s");
      const took = (performance.now() - from) / 1_000;
      region.ingress.signal("SIGCONT");
      await isReady();
      return took;
    });
    // Four seconds are the promise, on a machine that has time.
    expect(seconds).toBeLessThan(6);
  });

  it("does not trust a frozen ingress that keeps the front from another one", async () => {
    await publish(20);
    const before = growing(await scrape());
    expect(before.get('reveille_publishes_total {"result":"queued"}')).toBeGreaterThan(200);
    await region.startRole("ingress", "ingress-2");
    await metric("reveille_component_state", { state: "standby" }, 1);
    await isReady();
    region.ingress.signal("SIGSTOP");
    expect((await unready("another ingress has the place and shows no sign of life")).status).toBe(503);
    await region.ingress.kill();
    await isReady();
    // The counters of the first ingress outlive it.
    expect(fallen(before, await scrape())).toEqual([]);
  });

  it("ends when no worker reaches the push service", async () => {
    region.apns.program.signal("SIGSTOP");
    // Connections at rest are asked less often.
    await publish(1);
    expect((await unready("region-worker is failing: none can send")).status).toBe(503);
    region.apns.program.signal("SIGCONT");
    await isReady();
  });

  it("ends when the front is frozen, and the ping to ourselves stays out", async () => {
    region.front.signal("SIGSTOP");
    expect((await unready("component is failing: self-ping unanswered")).status).toBe(503);
    region.front.signal("SIGCONT");
    await isReady();
  });

  it("ends when the front is gone", async () => {
    region.front.signal("SIGKILL");
    expect((await unready("component is failing")).status).toBe(503);
  });
});
