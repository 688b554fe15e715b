import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ask, Program, readinessOf, startRedis, until } from "@reveille/testkit";
import { z } from "zod";

import { openLongWay } from "../load/doubles/long-way.ts";

const WITHOUT_LIMIT = { rate: "100000/s", burst: 1_000_000 };

const CLI = join(import.meta.dirname, "../../packages/cli/src/main.ts");

/** The one module. */
export const MODULE = "monalProdiOS";

export interface LoneIngressOptions {
  /** Of the front for components, on 127.0.0.1. */
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
  /** How far away its Redis is. A batch of 128 publishes takes two answers of it, whatever the machine can do. */
  readonly redisAwayMs: number;
  /** 1 unless told; 2 behind an ejabberd. */
  readonly connections?: number;
}

/** An ingress as in production with a Redis of its own, and no worker. */
export interface LoneIngress extends AsyncDisposable {
  readonly isRunning: () => boolean;
  /** `reveille domain limit`: so many publishes per second, and as many at once. */
  readonly limit: (domain: string, perSecond: number) => Promise<void>;
}

/** Resolves when it works; the front must be there already. */
export async function startLoneIngress(options: LoneIngressOptions): Promise<LoneIngress> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "reveille-ingress-"));
  opened.defer(async () => rm(folder, { recursive: true, force: true }));
  const redis = opened.use(await startRedis(["--appendonly", "yes"]));
  const way = opened.use(await openLongWay({ path: redis.path }, options.redisAwayMs));
  const config = join(folder, "reveille.yaml");
  await writeFile(join(folder, "component.secret"), options.secret, { mode: 0o600 });
  // JSON is YAML (YAML 1.2 §1.3).
  await writeFile(config, JSON.stringify(configOf(folder, way.port, options)));
  const args = [CLI, "ingress", "--config", config];
  const ready = await readinessOf("ingress", config);
  const program = opened.use(
    await Program.start({ name: "ingress", command: process.execPath, args, ready }),
  );
  // At ejabberd, what comes before all places have their streams may be lost.
  await until(async () => ((await hasAllStreams(folder, program.pid)) ? true : undefined), {
    what: "the streams of the ingress",
    withinMs: 30_000,
  });
  let isRunning = true;
  void program.ended.then(() => (isRunning = false));
  const parts = opened.move();
  return {
    isRunning: () => isRunning,
    limit: async (domain, perSecond) => {
      const limit = ["--rate", `${perSecond}/s`, "--burst", `${perSecond}`, "--config", config];
      await promisify(execFile)(process.execPath, [CLI, "domain", "limit", domain, ...limit]);
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  };
}

function configOf(
  folder: string,
  redisPort: number,
  { port, domain, connections = 1 }: LoneIngressOptions,
): object {
  const credential = { keyFile: join(folder, "AuthKey.p8"), keyId: "ABC1234567", teamId: "TEAM123456" };
  return {
    region: "eu",
    host: "s1.push.example",
    runtimeDir: folder,
    redis: { url: `redis://127.0.0.1:${redisPort}` },
    ingress: {
      components: [
        {
          service: `xmpp://127.0.0.1:${port}`,
          domain,
          secretFile: join(folder, "component.secret"),
          connections,
        },
      ],
    },
    // Nobody tells of outcomes here.
    admission: { newDevices: { perDomain: WITHOUT_LIMIT, inAll: WITHOUT_LIMIT } },
    modules: { [MODULE]: { apns: { topic: "org.example", environment: "production", ...credential } } },
  };
}

const REPORT = z.object({
  parts: z.array(z.object({ part: z.string(), health: z.object({ kind: z.string() }) })),
});

async function hasAllStreams(folder: string, pid: number): Promise<boolean> {
  const at = { path: join(folder, `ingress-${pid}.sock`) };
  const { parts } = REPORT.parse(JSON.parse(await ask({ kind: "http", at, url: "/report?metrics=none" })));
  const streams = parts.filter(({ part }) => part === "component");
  return streams.length > 0 && streams.every(({ health }) => health.kind === "ready");
}
