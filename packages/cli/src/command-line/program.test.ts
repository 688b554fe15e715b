import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { askRoles, systemClock } from "@reveille/runtime";
import { openRegionSecret, redisAdmission } from "@reveille/admission";
import { aModule, aRegion, aWakeup, Program, startRedis } from "@reveille/testkit";
import { minutes, redisKeysOf, seconds } from "@reveille/wakeup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");
const EXAMPLE = join(import.meta.dirname, "../../../../deploy/config.example.yaml");

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the executable to its end. */
async function reveille(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-cli-"));
});
afterAll(async () => rm(folder, { recursive: true }));

/** The example configuration with some of its text replaced. */
async function aConfig(change: (text: string) => string = (text) => text): Promise<string> {
  const file = join(folder, "reveille.yaml");
  await writeFile(file, change(await readFile(EXAMPLE, "utf8")));
  return file;
}

describe("reveille", () => {
  it("lists its commands", async () => {
    const { code, stdout } = await reveille("--help");
    expect(code).toBe(0);
    for (const command of ["ingress", "worker", "sidecar", "check-config", "push-simulator"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}[ |]`, "m"));
    }
  });

  it.each([
    ["an unknown command", ["wrker"], "unknown command 'wrker'"],
    ["a role without its configuration", ["worker"], "required option '--config <file>' not specified"],
  ])("refuses %s", async (_what, args, message) => {
    const { code, stderr } = await reveille(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it.each(["push-simulator", "apns-simulator"])(
    "passes the options of %s on to the simulator",
    async (name) => {
      const { code, stdout } = await reveille(name, "--help");
      expect(code).toBe(0);
      expect(stdout).toContain("--control-port");
      expect(stdout).toMatch(/^ {2}reveille push-simulator --port/m);
    },
  );
});

describe("check-config", () => {
  it("prints the effective configuration, secrets as paths", async () => {
    const { code, stdout } = await reveille("check-config", await aConfig());
    expect(code).toBe(0);
    expect(stdout).toContain("secretFile: /etc/reveille/front/component.secret");
  });

  it("prints every mistake with file, line, key and how to mend it, and exits with 1", async () => {
    const file = await aConfig((text) =>
      text.replace(/^region: .*$/m, "region: EU").replace(/^host: /m, "hots: "),
    );
    const { code, stdout, stderr } = await reveille("check-config", file);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/reveille\.yaml:\d+:\d+ region: must be .*\n {4}for example: `region: eu`/);
    expect(stderr).toMatch(
      /reveille\.yaml:\d+:\d+ hots: is no key of the configuration\n {4}did you mean `host`\?/,
    );
  });

  it.each(["check-config", "worker --config"])(
    "and %s name the line of a push that Apple would refuse for its size",
    async (command) => {
      const file = await aConfig((text) =>
        text.replace("    custom: {}", `    custom: { text: "${"ü".repeat(2_040)}" }`),
      );
      const { code, stderr } = await reveille(...command.split(" "), file);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /reveille\.yaml:\d+:13 modules\.monalProdiOS\.custom: its payload has 4\d{3} bytes and Apple takes 4096\n {4}shorten `alert` or `custom`/,
      );
    },
  );

  it("names a file that it can't read", async () => {
    const { code, stderr } = await reveille("check-config", "/nowhere/reveille.yaml");
    expect(code).toBe(1);
    expect(stderr).toContain("cannot read the configuration /nowhere/reveille.yaml");
  });
});

describe("a role", () => {
  it("waits for a Redis that is not there yet, says so, goes on when it comes, and hears SIGTERM meanwhile", async () => {
    await using redis = await startRedis();
    const runtimeDir = join(folder, "waiting");
    const file = await aConfig((text) =>
      text
        .replace(/^ {2}url: .*$/m, `  url: "redis+unix://${redis.path}"`)
        .replace(/^runtimeDir: .*$/m, `runtimeDir: ${runtimeDir}`),
    );
    await redis.kill();
    const args = [MAIN, "worker", "--config", file];
    const start = async () => Program.start({ name: "worker", command: process.execPath, args });
    await using stopped = await start();
    await stopped.line((line) => /"redis-trouble".*"because":"(?:ENOENT|ECONNREFUSED)"/.test(line), 20_000);
    const report = { method: "GET", path: "/report?metrics=none", within: seconds(5) } as const;
    const [asked] = await askRoles(runtimeDir, report, systemClock);
    expect(asked?.answer).toMatchObject({
      body: { parts: [{ part: "redis", health: { kind: "failing", because: "Redis is away" } }] },
    });
    stopped.signal("SIGTERM");
    expect(await stopped.ended).toBe("exit code 0");

    await using waiting = await start();
    await waiting.line((line) => line.includes("redis-trouble"), 20_000);
    await redis.restart();
    // It tells what could be better of that Redis.
    await waiting.line((line) => line.includes('"event":"redis-packs-loosely","limit":64'), 20_000);
    // It has come to what follows: the key of the example is not there.
    await waiting.line((line) => line.includes("AuthKey_ABC1234567.p8"), 20_000);
  });

  it("ends with a reason on a Redis that would evict wakeups, and shows no stack", async () => {
    await using redis = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
    const file = await aConfig((text) =>
      text
        .replace(/^ {2}url: .*$/m, `  url: "redis+unix://${redis.path}"`)
        .replace(/^runtimeDir: .*$/m, `runtimeDir: ${folder}/run`),
    );
    const { code, stderr } = await reveille("ingress", "--config", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^reveille: .*maxmemory-policy allkeys-lru.*noeviction\n$/);
  });
});

describe("queue", () => {
  const inRegion = async (redis: { readonly path: string }): Promise<string> =>
    aConfig((text) => text.replace(/^ {2}url: .*$/m, `  url: "redis+unix://${redis.path}"`));

  it("pauses, tells so, resumes and discards, for people and for programs", async () => {
    await using redis = await startRedis();
    const config = await inRegion(redis);
    const queue = async (...args: readonly string[]): Promise<Run> =>
      reveille("queue", ...args, "--config", config);
    expect((await queue("pause")).stdout).toMatch(/^paused/);
    expect(JSON.parse((await queue("status", "--json")).stdout)).toEqual({
      waiting: 0,
      retrying: 0,
      delayed: 0,
      active: 0,
      oldestWaitingMs: 0,
      oldestMs: 0,
      paused: true,
      trailing: { waiting: 0, overdue: 0, oldestDueMs: 0 },
    });
    expect(await queue("resume", "--json")).toMatchObject({ code: 0, stdout: '{"paused":false}\n' });
    expect((await queue("status")).stdout).toContain("queue      open");
    expect((await queue("discard")).stderr).toContain(
      "discarding throws 0 batches (of up to 128 devices each) and 0 trailing pushes away",
    );
    expect(await queue("discard", "--yes")).toMatchObject({
      code: 0,
      stdout: "0 batches and 0 trailing pushes thrown away\n",
    });
  });

  it("shows trailing pushes, which are no batches yet: when the next is due, and that nobody moves them", async () => {
    await using redis = await startRedis();
    const client = await redis.connect();
    const config = await inRegion(redis);
    const { trailing } = redisKeysOf(aRegion());
    const status = async (...args: readonly string[]): Promise<string> =>
      (await reveille("queue", "status", ...args, "--config", config)).stdout;
    expect(await status()).toMatch(/^trailing {3}0 pushes$/m);

    const now = systemClock.now();
    await client.zadd(trailing, now + 3_600_000, "in an hour", now + 7_200_000, "in two");
    expect(await status()).toMatch(/^trailing {3}2 pushes, the next due in 3[56]\d\d\.\d s\n$/m);

    await client.zadd(trailing, now - 60_000, "a minute ago");
    expect(await status()).toMatch(
      /^trailing {3}3 pushes, the next due now\noverdue {4}1 of them, the oldest for [67]\d\.\d s: does a worker/m,
    );
    const overdue: unknown = expect.any(Number);
    expect(JSON.parse(await status("--json"))).toMatchObject({
      waiting: 0,
      trailing: { waiting: 3, overdue: 1, nextDueInMs: 0, oldestDueMs: overdue },
    });
  });

  it("discards a trailing push with its batches, so that the device's next wakeup is scheduled anew", async () => {
    await using redis = await startRedis();
    const client = await redis.connect();
    const config = await inRegion(redis);
    const region = aRegion();
    const admission = redisAdmission({
      redis: client,
      region,
      secret: await openRegionSecret(client, region),
      // As the example configuration has it.
      windowOf: () => seconds(20),
      forgetDeadAfter: () => minutes(1),
      clock: systemClock,
      observe: () => undefined,
    });
    const wakeup = aWakeup({ module: aModule("monalProdiOS") });
    await admission.decide([wakeup]);
    expect(await admission.decide([wakeup])).toMatchObject([{ kind: "later" }]);
    const { stdout } = await reveille("queue", "discard", "--yes", "--json", "--config", config);
    expect(stdout).toBe('{"discarded":0,"trailing":1}\n');
    expect(await client.exists(redisKeysOf(region).trailing)).toBe(0);
    expect(await admission.decide([wakeup])).toMatchObject([{ kind: "later" }]);
  });
});
