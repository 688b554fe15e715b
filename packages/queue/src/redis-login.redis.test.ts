import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { aRegion, aWakeup, freePort, Program } from "@reveille/testkit";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";

import {
  aclRuleOf,
  askSentinel,
  consumeWakeups,
  forbiddenCommands,
  openProducerRedis,
  openWakeupQueue,
  openWorkerRedis,
  type QueuedWakeup,
  readRedisFacts,
  type RedisSettings,
  type RedisTls,
  watchSentinels,
} from "./index.ts";

// ioredis and BullMQ look at the real time by themselves.
const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};
const region = aRegion();
const PASSWORD = "sesame-open-sesame";
const SERVER_NAME = "redis.internal.example";

/** An authority, a certificate for the servers by a name that is not their address, and one for clients. */
async function identities(folder: string) {
  const file = (name: string): string => join(folder, name);
  const openssl = (args: string): void => void execFileSync("openssl", args.split(" "), { stdio: "ignore" });
  const make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  openssl(`${make} -subj /CN=ca -keyout ${file("ca.key")} -out ${file("ca.pem")}`);
  for (const [name, subject] of [
    ["server", SERVER_NAME],
    ["client", "reveille"],
  ] as const) {
    openssl(
      `${make} -CA ${file("ca.pem")} -CAkey ${file("ca.key")} -subj /CN=${subject} -addext subjectAltName=DNS:${subject} -keyout ${file(`${name}.key`)} -out ${file(`${name}.pem`)}`,
    );
  }
  const read = async (name: string): Promise<string> => readFile(file(name), "utf8");
  const tls: RedisTls = {
    ca: await read("ca.pem"),
    cert: await read("client.pem"),
    key: await read("client.key"),
    serverName: SERVER_NAME,
  };
  const config = `tls-cert-file ${file("server.pem")}\ntls-key-file ${file("server.key")}\ntls-ca-cert-file ${file("ca.pem")}\ntls-auth-clients yes\ntls-replication yes\nport 0\nbind 127.0.0.1\n`;
  return { tls, config };
}

async function aServer(
  folder: string,
  { kind, config, port }: { kind: "redis" | "sentinel"; config: string; port: number },
) {
  const file = join(folder, `${kind}-${port}.conf`);
  await writeFile(file, `${config}tls-port ${port}\ndir ${folder}\n`);
  return Program.start({
    name: `${kind}-${port}`,
    command: "redis-server",
    args: [file, ...(kind === "sentinel" ? ["--sentinel"] : [])],
    debianPackage: "redis-server",
  });
}

/** A wakeup goes through the queue, and nothing is forbidden or printed on the way. */
async function goesThrough(settings: RedisSettings): Promise<void> {
  const parts = { clock, observe: (): void => undefined };
  const printed = vi.spyOn(console, "warn");
  const producer = await openProducerRedis(settings, { ...parts, connection: "producer" });
  const worker = await openWorkerRedis(settings, { ...parts, connection: "worker" });
  await using queue = await openWakeupQueue({ ...parts, redis: producer, region, node: "s1" });
  const handled: QueuedWakeup[] = [];
  {
    await using consumer = await consumeWakeups({
      ...parts,
      redis: worker,
      region,
      node: "s1",
      batchesAtOnce: 2,
      handle: async (wakeups) => {
        handled.push(...wakeups);
        return wakeups.map(({ attempt }) =>
          attempt === 1 ? { kind: "retry", after: millis(10) } : { kind: "done" },
        );
      },
    });
    await queue.add([aWakeup()]);
    await vi.waitFor(() => expect(handled).toHaveLength(2));
    expect(consumer.health().health).toEqual({ kind: "ready" });
  }
  await vi.waitFor(async () =>
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 0 }),
  );
  expect(await queue.standing()).toMatchObject({ paused: false });
  expect(await forbiddenCommands(producer, region)).toEqual([]);
  expect(printed).not.toHaveBeenCalled();
  producer.disconnect();
  worker.disconnect();
}

describe("a Redis with TLS, client certificates and an ACL", () => {
  it("is used as the user that the docs name, also where INFO and CONFIG are forbidden", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-tls-"));
    const { tls, config } = await identities(folder.path);
    const port = await freePort();
    const users = `user default off\nuser admin on >${PASSWORD} ~* &* +@all\nuser reveille on >${PASSWORD} ${aclRuleOf(region)}\nuser blind on >${PASSWORD} ${aclRuleOf(region)} -info -config|get\nuser reader on >${PASSWORD} ~* -@all +@read +@connection +@transaction +info\n`;
    await using server = await aServer(folder.path, { kind: "redis", config: config + users, port });
    expect(server.running).toBe(true);
    const settings = (username: string): RedisSettings => ({
      url: `rediss://127.0.0.1:${port}`,
      username,
      password: PASSWORD,
      tls,
    });
    await goesThrough(settings("reveille"));
    await goesThrough(settings("blind"));

    const admin = new Redis({
      host: "127.0.0.1",
      port,
      username: "admin",
      password: PASSWORD,
      tls: { ...tls, servername: SERVER_NAME },
    });
    const denied = JSON.stringify(await admin.call("ACL", "LOG"));
    expect(denied.match(/"object","[^"]+"/g)?.filter((one) => !/info|config/.test(one)) ?? []).toEqual([]);
    const blind = await openProducerRedis(settings("blind"), {
      connection: "p",
      clock,
      observe: () => undefined,
    });
    expect(await readRedisFacts(blind)).toBeUndefined();
    const reader = await openProducerRedis(settings("reader"), {
      connection: "p",
      clock,
      observe: () => undefined,
    });
    expect(await forbiddenCommands(reader, region)).toEqual(
      expect.arrayContaining(["SET", "EVAL", "BZPOPMIN"]),
    );
    for (const redis of [admin, blind, reader]) redis.disconnect();

    const without = openProducerRedis(
      {
        ...settings("reveille"),
        tls: { ...(tls.ca === undefined ? {} : { ca: tls.ca }), serverName: SERVER_NAME },
      },
      { connection: "p", clock, observe: () => undefined, connectWithin: millis(1_000) },
    );
    await expect(without).rejects.toThrow("no Redis at rediss://127.0.0.1");
  });

  it("is found by Sentinels with TLS and a password of their own, who agree", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-tls-"));
    const { tls, config } = await identities(folder.path);
    const port = await freePort();
    const auth = `requirepass ${PASSWORD}-redis\nmasterauth ${PASSWORD}-redis\n`;
    await using programs = new AsyncDisposableStack();
    const start = async (kind: "redis" | "sentinel", text: string, at: number): Promise<void> => {
      const program = await aServer(folder.path, { kind, config: config + text, port: at });
      programs.defer(async () => program.kill());
    };
    await start("redis", auth, port);
    // Different texts for one primary.
    const names = ["127.0.0.1", "localhost", "127.0.0.1"];
    const ports = await Promise.all(names.map(async () => freePort()));
    for (const [index, name] of names.entries()) {
      const watch = `sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\nsentinel monitor eu ${name} ${port} 2\nsentinel auth-pass eu ${PASSWORD}-redis\nrequirepass ${PASSWORD}\nsentinel sentinel-pass ${PASSWORD}\n`;
      await start("sentinel", watch, ports[index] ?? 0);
    }
    const settings = {
      sentinels: ports.map((one) => ({ host: "127.0.0.1", port: one })),
      name: "eu",
      password: `${PASSWORD}-redis`,
      tls,
      sentinelLogin: { password: PASSWORD, tls },
    };
    await using watch = await watchSentinels(settings, clock);
    await vi.waitFor(() => expect(watch.sight()).toEqual({ configured: 3, agreeing: 3 }));
    const [first] = settings.sentinels;
    if (first === undefined) throw new Error("no Sentinel");
    await vi.waitFor(async () =>
      expect(await askSentinel(settings, first, { clock, within: millis(5_000) })).toMatchObject({
        kind: "watching",
        others: 2,
        canFailOver: true,
      }),
    );
    await goesThrough(settings);
    const stranger = { ...settings, sentinelLogin: { password: "wrong", tls } };
    expect(await askSentinel(stranger, first, { clock, within: millis(5_000) })).toMatchObject({
      kind: "useless",
    });
  });
});
