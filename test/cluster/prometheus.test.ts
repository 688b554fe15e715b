import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { type Region, startRegion } from "@reveille/demo";
import { ask, freePort, Program, until } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { asAsked, dashboardFiles, queriesOf } from "../metrics/dashboards.ts";
import { at, field, textAt } from "../metrics/fields.ts";
import { ruleFiles, rules } from "../metrics/rules.ts";
import { configOfHost, edit, reload } from "./reloading.ts";
import { withFront } from "./with-front.ts";

const FOLDER = join(import.meta.dirname, "../output/cluster/prometheus");
const WITHIN = 90_000;

let region: Region;
/** Asks for a token, unlike the region's own. */
let sidecar: Program;
let metricsUrl: string;
let prometheus: Program;
let url: string;

beforeAll(async () => {
  region = await startRegion({ folder: join(FOLDER, "region"), workers: 1, doubles: ["lost.test"] });
  sidecar = await startGuardedSidecar();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  prometheus = await startPrometheus(port);
});
afterAll(async () => {
  await prometheus.stop();
  await region[Symbol.asyncDispose]();
});

const TOKEN_FILE = join(FOLDER, "metrics.token");

async function startGuardedSidecar(): Promise<Program> {
  const port = await freePort();
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  await writeFile(TOKEN_FILE, `${randomUUID()}\n`, { mode: 0o600 });
  const file = join(FOLDER, "guarded.yaml");
  const config = await configOfHost(region);
  const guarded = { listen: `127.0.0.1:${port}`, statusListen: undefined, metricsTokenFile: TOKEN_FILE };
  await writeFile(file, JSON.stringify({ ...config, sidecar: { ...config.sidecar, ...guarded } }));
  return region.startRole("sidecar", "guarded-sidecar", file);
}

/**
 * As in production, but it thinks each second, and no alert is pending for longer than that. It scrapes every other second:
 * while a process hangs, an answer takes one.
 */
async function startPrometheus(port: number): Promise<Program> {
  const folder = join(FOLDER, "prometheus");
  await mkdir(folder, { recursive: true });
  for (const file of ruleFiles()) {
    const text = await readFile(file, "utf8");
    await writeFile(join(folder, basename(file)), text.replaceAll(/^( +for:) .*$/gm, "$1 1s"));
  }
  await writeFile(
    join(folder, "prometheus.yml"),
    `global: { scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s }
rule_files: ["reveille.*.yml"]
scrape_configs:
  - job_name: reveille
    authorization: { credentials_file: ${TOKEN_FILE} }
    static_configs:
      - targets: ["${new URL(metricsUrl).host}"]
        labels: { region: eu }
`,
  );
  return Program.start({
    name: "prometheus",
    command: "prometheus",
    args: [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    folder,
    logFile: join(folder, "prometheus.log"),
    debianPackage: "prometheus",
    ready: async () => ask({ kind: "http", at: { port }, url: "/-/ready" }),
  });
}

/** What Prometheus' HTTP API lists. */
async function askApi(path: string, list: "alerts" | "groups"): Promise<readonly unknown[]> {
  const response = await fetch(`${url}/api/v1/${path}`);
  return at(field(await response.json(), "data"), list);
}

/** The series that an expression gives now. Throws if Prometheus does not understand it. */
async function query(expression: string): Promise<readonly unknown[]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  if (!response.ok) throw new Error(`${expression}: ${await response.text()}`);
  return at(field(await response.json(), "data"), "result");
}

/** Names of the alerts that fire; of a module: those about it alone. */
const firing = async (module?: string): Promise<readonly string[]> =>
  (await askApi("alerts", "alerts"))
    .filter((alert) => textAt(alert, "state") === "firing")
    .map((alert) => field(alert, "labels"))
    .filter((labels) => module === undefined || textAt(labels, "module") === module)
    .map((labels) => textAt(labels, "alertname"));

/** How the rules fare: `ok`, `err`, or `unknown` before their first evaluation. */
const healthOfRules = async (): Promise<readonly string[]> =>
  (await askApi("rules", "groups"))
    .flatMap((group) => at(group, "rules"))
    .map((rule) => textAt(rule, "health"));

const settles = async (
  what: string,
  accepts: (alerts: readonly string[]) => boolean,
  module?: string,
): Promise<void> => {
  await until(async () => (accepts(await firing(module)) ? true : undefined), {
    what,
    withinMs: WITHIN,
    everyMs: 200,
  });
};

/** Has the roles know a module whose address is a port that nobody has. */
async function addLostModule(): Promise<void> {
  const nobody = `https://127.0.0.1:${await freePort()}`;
  await edit(region, ({ modules, ...config }) => {
    const good = modules["monalProdiOS"];
    return {
      ...config,
      modules: { ...modules, lost: { ...good, apns: { ...good?.apns, endpoint: nobody } } },
    };
  });
  expect(await reload(region)).toMatchObject({ code: 0 });
}

/** Panels that are empty while nothing has been sent, nothing has failed, there is one Redis, and no canary has a device. */
const NOTHING_YET = new Set([
  "Answers and deliveries",
  "Latency",
  "Latency, p99",
  "Provider token age",
  "Reasons of what was not delivered",
  "Replication lag",
  "Request time",
  "Time to reply",
  "Time to reply and delivery, p90",
]);

const OF_A_HOST = ["ReveilleHostNotReady", "ReveilleRegionNotReady"];

describe("a Prometheus that watches a running region", () => {
  it("gets metrics, unlike who has no token, and can evaluate every rule", async () => {
    expect((await fetch(metricsUrl)).status).toBe(401);
    expect((await fetch(new URL("/ready", metricsUrl))).status).toBe(200);
    await until(async () => ((await query("reveille_host_ready == 1")).length === 1 ? true : undefined), {
      what: "a scrape",
      withinMs: WITHIN,
    });
    const healths = await until(
      async () => {
        const all = await healthOfRules();
        return all.length > 0 && !all.includes("unknown") ? all : undefined;
      },
      { what: "an evaluation of all rules", withinMs: WITHIN },
    );
    expect(healths).toEqual(rules().map(() => "ok"));
  });

  it("answers every question of the dashboard", async () => {
    const queries = dashboardFiles().flatMap(queriesOf);
    const unanswered = async (): Promise<readonly string[]> => {
      const found = await Promise.all(queries.map(async ({ expression }) => query(asAsked(expression))));
      const panels = queries.filter((_query, index) => found[index]?.length === 0).map(({ panel }) => panel);
      return panels.filter((panel) => !NOTHING_YET.has(panel));
    };
    await using canary = await region.startRole("canary", "canary");
    // The region's own front is a Prosody.
    await using front = await region.startRole("front", "front", await withFront(region));
    // A rate takes two scrapes.
    await expect.poll(unanswered, { timeout: WITHIN, interval: 1_000 }).toEqual([]);
    expect([canary.running, front.running]).toEqual([true, true]);
    expect(queries.length).toBeGreaterThan(30);
  });

  it("raises the alarm when the only worker is killed, and stands down when there is another", async () => {
    const ofAHost = async () => (await firing()).filter((alert) => OF_A_HOST.includes(alert));
    await expect.poll(ofAHost, { timeout: WITHIN }).toEqual([]);
    await region.workers[0]?.kill();
    await settles("the alarm", (alerts) => OF_A_HOST.every((alert) => alerts.includes(alert)));
    await region.startRole("worker", "worker-2");
    await settles("its end", (alerts) => !OF_A_HOST.some((alert) => alerts.includes(alert)));
  });

  it("notices a module that alone finds nobody at its address, while the host stays ready", async () => {
    expect(await firing("lost")).toEqual([]);
    await addLostModule();
    const raises = (alert: string) => settles(alert, (alerts) => alerts.includes(alert), "lost");
    await raises("ReveilleModuleOutOfReach");
    expect(await firing("lost")).toEqual(["ReveilleModuleOutOfReach"]);
    await using server = await region.openDouble("lost.test");
    // More than a single device brings about.
    for (let device = 1; device <= 12; device += 1) {
      const node = device.toString(16).padStart(64, "0");
      await server.publish({ to: region.hostname, node, module: "lost" });
    }
    await raises("ReveilleModuleSendsNothing");
    expect(await firing("lost")).not.toContain("ReveilleBreakerOpen");
    expect(await firing("monalProdiOS")).toEqual([]);
    expect((await fetch(new URL("/ready", metricsUrl))).status).toBe(200);
  });

  it("notices a process that hangs, and a sidecar that is gone", async () => {
    await expect.poll(() => firing(), { timeout: WITHIN }).not.toContain("ReveilleRoleSilent");
    region.ingress.signal("SIGSTOP");
    await settles("the alarm for the role", (alerts) => alerts.includes("ReveilleRoleSilent"));
    region.ingress.signal("SIGCONT");
    await settles("its end", (alerts) => !alerts.includes("ReveilleRoleSilent"));
    await sidecar.kill();
    await settles("the alarm for the scrape", (alerts) => alerts.includes("ReveilleScrapeMissing"));
  });
});
