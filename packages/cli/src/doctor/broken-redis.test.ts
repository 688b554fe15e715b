import { freePort, Program, startRedis, type TestRedis } from "@reveille/testkit";
import { systemClock } from "@reveille/runtime";
import { epochMillis, millis, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type Finding } from "./finding.ts";
import { checkRedis } from "./redis.ts";
import { checkSentinels } from "./sentinels.ts";
import { aHost, aDoctorContext, aSentinel } from "./testing/a-doctor-context.ts";
import { type DoctorContext } from "./doctor-context.ts";

async function look(
  redis: Pick<TestRedis, "path">,
  { settings = "", ...parts }: Partial<DoctorContext> & { readonly settings?: string } = {},
): Promise<readonly Finding[]> {
  await using host = await aHost({ redis: `url: "redis+unix://${redis.path}"${settings}` });
  return await checkRedis(aDoctorContext(host.config, { timeout: seconds(5), ...parts }));
}

/** The finding about that item, as `kind: text`. */
const told = (findings: readonly Finding[], wanted: string): string =>
  findings.flatMap(({ item, kind, text }) => (item === wanted ? [`${kind}: ${text}`] : [])).join();

describe("the doctor, shown a Redis that is broken for real", () => {
  it("sees that it takes no writes, being a replica", async () => {
    await using primary = await startRedis();
    await using redis = await startRedis(["--replicaof", "127.0.0.1 1"]);
    expect(told(await look(primary), "redis role")).toBe("ok: primary");
    expect(told(await look(redis), "redis role")).toMatch(/^fail: it is a replica/);
  });

  it("sees which commands its user may not call, and that nobody may ask how it is", async () => {
    await using redis = await startRedis();
    const admin = await redis.connect();
    await admin.call("ACL", "SETUSER", "default", "-info", "-zadd", "-eval");
    const findings = await look(redis);
    expect(told(findings, "redis ACL")).toBe(
      "fail: its user may not call ZADD, EVAL, or not for keys of this region",
    );
    expect(told(findings, "redis INFO")).toBe("skipped: its user may not ask");
  });

  it("sees that a replica is missing which the configuration wants to wait for", async () => {
    await using redis = await startRedis();
    const findings = await look(redis, { settings: ", waitReplicas: 1" });
    expect(told(findings, "redis replicas")).toBe(
      "fail: 0 of 0 connected ones are in step, and redis.waitReplicas asks for 1",
    );
  });

  it("sees that it is nearly full", async () => {
    await using redis = await startRedis(["--maxmemory", "4mb"]);
    const client = await redis.connect();
    for (let part = 0; part < 18; part += 1) await client.set(`part-${part}`, "x".repeat(100_000));
    expect(told(await look(redis), "redis memory")).toMatch(
      /^fail: [789]\d % of maxmemory used: new wakeups are refused above 70 %$/,
    );
  });

  it("sees that it is slow", async () => {
    await using redis = await startRedis(["--enable-debug-command", "yes"]);
    const client = await redis.connect();
    const enough = new AbortController();
    const busy = (async () => {
      while (!enough.signal.aborted) await client.call("DEBUG", "SLEEP", "0.05");
    })();
    const findings = await look(redis);
    enough.abort();
    await busy;
    expect(told(findings, "redis latency")).toMatch(/^(?:fail|warn): [\d.]+ ms for the slowest/);
  });

  it("sees a host whose clock is ten minutes behind Redis'", async () => {
    await using redis = await startRedis();
    const clock = { ...systemClock, now: () => epochMillis(systemClock.now() - minutes(10)) };
    expect(told(await look(redis, { clock }), "clock against Redis'")).toMatch(
      /^fail: this host is 600\.\d s behind/,
    );
  });

  it("sees that it tells nothing of its settings, and judges by what it tells", async () => {
    await using redis = await startRedis(["--rename-command", "CONFIG", "", "--appendonly", "yes"]);
    const findings = await look(redis);
    expect(told(findings, "redis hash-max-listpack-value")).toMatch(/^skipped/);
    expect(told(findings, "redis AOF")).toBe("ok: on");
  });
});

describe("the doctor, shown a Redis that is not there", () => {
  it("does not wait for one that refuses", async () => {
    const before = systemClock.monotonic();
    const findings = await look({ path: "/nowhere/redis.sock" }, { timeout: minutes(1) });
    expect(told(findings, "redis")).toMatch(/^fail: no Redis at .*: connect ENOENT/);
    expect(systemClock.monotonic() - before).toBeLessThan(seconds(10));
  });

  it("waits for one that is slow", async () => {
    await using redis = await startRedis();
    redis.signal("SIGSTOP");
    const [findings] = await Promise.all([
      look(redis, { timeout: minutes(1) }),
      systemClock.sleep(millis(1_500)).then(() => redis.signal("SIGCONT")),
    ]);
    expect(told(findings, "redis role")).toBe("ok: primary");
  });

  it("waits for the one that its Sentinels will find", async () => {
    const port = await freePort();
    await using sentinel = await aSentinel("eu", port);
    await using host = await aHost({ redis: `sentinels: ["${sentinel.address}"], name: eu` });
    await using opened = new AsyncDisposableStack();
    const start = async (): Promise<void> => {
      await systemClock.sleep(millis(1_500));
      const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", ""];
      opened.use(await Program.start({ name: "redis", command: "redis-server", args }));
    };
    const context = aDoctorContext(host.config, { timeout: minutes(1) });
    const [findings] = await Promise.all([checkRedis(context), start()]);
    expect(told(findings, "redis role")).toBe("ok: primary");
  });
});

describe("the doctor, shown Sentinels that are broken for real", () => {
  it("sees that two of three are gone, and who of them", async () => {
    await using opened = new AsyncDisposableStack();
    const sentinels = await Promise.all(["a", "b", "c"].map(async () => opened.use(await aSentinel("eu"))));
    const addresses = sentinels.map(({ address }) => `"${address}"`).join(", ");
    await using host = await aHost({ redis: `sentinels: [${addresses}], name: eu` });
    const context = aDoctorContext(host.config);
    expect(told(await checkSentinels(context), "sentinel majority")).toBe("ok: 3 of 3 answer here");
    await sentinels[0]?.[Symbol.asyncDispose]();
    await sentinels[1]?.[Symbol.asyncDispose]();
    const findings = await checkSentinels(context);
    expect(told(findings, "sentinel majority")).toMatch(/^fail: 1 of 3 answer here: nobody can replace/);
    for (const { address } of sentinels.slice(0, 2)) {
      expect(told(findings, `sentinel ${address}`)).toContain("ECONNREFUSED");
    }
  });

  it("sees that they name different primaries", async () => {
    await using one = await aSentinel("eu");
    await using other = await aSentinel("eu", 2);
    await using host = await aHost({
      redis: `sentinels: ["${one.address}", "${other.address}"], name: eu`,
    });
    expect(told(await checkSentinels(aDoctorContext(host.config)), "sentinel agreement")).toMatch(
      /^fail: they name different primaries: 127\.0\.0\.1:[12], 127\.0\.0\.1:[12]$/,
    );
  });
});
