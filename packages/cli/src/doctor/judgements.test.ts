import { epochMillis, hours, isPushModule, later, millis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { judgeClock } from "./clock-skew.ts";
import { judgeTrial } from "./component.ts";
import { judgeCredential } from "./credentials.ts";
import { type Target } from "./dns.ts";
import { judgeFileLimit } from "./file-limits.ts";
import { type Finding } from "./finding.ts";
import { judgeRedis, type RedisFacts } from "./redis-judgement.ts";
import { judgeReplies } from "./replies.ts";
import { judgeRole } from "./roles.ts";
import { judgeTargets } from "./s2s.ts";
import { judgeSentinels } from "./sentinels.ts";
import { judgeServed, type ServedCertificate } from "./served-certificate.ts";

const containing = (text: string): unknown => expect.stringContaining(text);

const NOW = epochMillis(1_800_000_000_000);
const inDays = (days: number) => epochMillis(NOW + days * hours(24));

/** Kind and text of each finding, as the screen has them. */
const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ kind, item, text }) => `${kind} ${item}: ${text}`);

function aModuleName() {
  const name = "monalProdiOS";
  if (isPushModule(name)) return name;
  throw new Error("no name of a module");
}

describe("the doctor's judgement of a credential", () => {
  const facts = { kind: "certificate", expiresAt: inDays(200), exposed: [] } as const;

  it.each([
    ["is fine with a certificate for 200 days", facts, "ok", "valid for 200 days"],
    [
      "is fine with a key",
      { ...facts, kind: "token", expiresAt: undefined } as const,
      "ok",
      "does not expire",
    ],
    ["warns three weeks before the end", { ...facts, expiresAt: inDays(20) }, "warn", "expires in 20 days"],
    ["fails what has expired", { ...facts, expiresAt: inDays(-1) }, "fail", "has expired"],
    ["warns of what everybody can read", { ...facts, exposed: ["/a.p12"] }, "warn", "can read /a.p12"],
  ])("%s", (_what, facts, kind, text) => {
    const finding = judgeCredential(aModuleName(), facts, NOW);
    expect(finding).toMatchObject({ kind, text: containing(text) });
  });
});

describe("the doctor's judgement of replies", () => {
  it.each<readonly [status: unknown, finding: string]>([
    [{ repliesReach: { reached: 3, unreached: 0 } }, "ok replies to senders: reach 3 of 3 domains that"],
    [{ repliesReach: { reached: 3, unreached: 2 } }, "ok replies to senders: reach 3 of 5 domains that"],
    [{ repliesReach: { reached: 4, unreached: 5 } }, "warn replies to senders: reach 4 of 9 domains that"],
    [{ repliesReach: { reached: 0, unreached: 0 } }, "skipped replies to senders: no domain has published"],
    [{ repliesReach: null }, "skipped replies to senders: no ingress"],
    // Of an older version.
    [{ ready: true }, "skipped replies to senders: no ingress"],
  ])("says of %j: %s", (status, finding) => {
    expect(told([judgeReplies(status)])).toEqual([containing(finding)]);
  });
});

describe("the doctor's judgement of clocks", () => {
  it.each([
    [0, "ok"],
    [4_999, "ok"],
    [-5_000, "warn"],
    [299_999, "warn"],
    [300_000, "fail"],
    [-300_000, "fail"],
  ])("takes %d ms for %s", (ahead, kind) => {
    expect(judgeClock("clock", ahead)).toMatchObject({ kind });
  });

  it("says in which direction", () => {
    expect(judgeClock("clock", -6_000).text).toBe("this host is 6.0 s behind");
  });
});

describe("the doctor's judgement of Redis", () => {
  const good = {
    redis_version: "7.0.15",
    role: "master",
    maxmemory_policy: "noeviction",
    maxmemory: "1000",
    used_memory: "100",
    aof_enabled: "1",
    aof_last_write_status: "ok",
    connected_slaves: "1",
    slave0: "ip=10.0.0.2,port=6379,state=online,offset=1,lag=0",
  };
  const judge = (info: Partial<typeof good> = {}, facts: Partial<RedisFacts> = {}): readonly string[] =>
    told(
      judgeRedis({
        info: new Map(Object.entries({ ...good, ...info })),
        fsync: "everysec",
        packing: { kind: "compact", limit: 8_192 },
        latency: millis(1),
        waitReplicas: 1,
        memoryShare: 0.7,
        ...facts,
      }),
    );

  it("has nothing to say about a good one", () => {
    expect(judge().filter((line) => !line.startsWith("ok "))).toEqual([]);
  });

  it.each<[Partial<typeof good>, Partial<RedisFacts>, string]>([
    [{ redis_version: "6.0.16" }, {}, "fail redis version: 6.0.16"],
    [{ role: "slave" }, {}, "fail redis role: it is a replica"],
    [{ maxmemory_policy: "allkeys-lru" }, {}, "fail redis maxmemory-policy: allkeys-lru"],
    [{ maxmemory: "0" }, {}, "warn redis memory: no maxmemory"],
    [{ used_memory: "700" }, {}, "fail redis memory: 70 % of maxmemory used"],
    [{}, { packing: { kind: "loose", limit: 64 } }, "warn redis hash-max-listpack-value: 64: small batches"],
    [{}, { packing: undefined }, "skipped redis hash-max-listpack-value"],
    [{ aof_enabled: "0" }, {}, "fail redis AOF: off"],
    [{ aof_last_write_status: "err" }, {}, "fail redis AOF: Redis cannot write it"],
    [
      { connected_slaves: "0", slave0: "" },
      { waitReplicas: 0 },
      "warn redis AOF: appendfsync everysec without a replica",
    ],
    [{}, { fsync: "no" }, "warn redis AOF: appendfsync no"],
    [{ slave0: "ip=10.0.0.2,state=wait_bgsave" }, {}, "fail redis replicas: 0 of 1"],
    [{ connected_slaves: "0", slave0: "" }, { waitReplicas: 0 }, "warn redis replicas: none"],
    [{}, { latency: millis(20) }, "warn redis latency: 20.0 ms"],
    [{}, { latency: millis(500) }, "fail redis latency: 500.0 ms"],
  ])("%j %j: %s", (info, facts, line) => {
    expect(judge(info, facts)).toContainEqual(containing(line));
  });
});

describe("the doctor's judgement of Sentinels", () => {
  const watching = {
    kind: "watching",
    primary: { address: "10.0.0.1:6379", runId: "a1" },
    others: 2,
    quorum: 2,
    canFailOver: true,
  } as const;
  const three = ["a", "b", "c"].map((name) => ({ name, view: watching }));

  it("is fine with three that agree", () => {
    expect(told(judgeSentinels("eu", three))).toEqual([
      "ok sentinel majority: 3 of 3 answer here",
      "ok sentinel agreement: the primary is 10.0.0.1:6379",
    ]);
  });

  it("fails a minority, and names who is away", () => {
    const away = { kind: "useless", because: "connect ECONNREFUSED" } as const;
    const views = three.map((view, index) => (index === 0 ? view : { ...view, view: away }));
    expect(told(judgeSentinels("eu", views))).toEqual([
      "fail sentinel b: connect ECONNREFUSED",
      "fail sentinel c: connect ECONNREFUSED",
      "fail sentinel majority: 1 of 3 answer here: nobody can replace a primary that dies",
      "ok sentinel agreement: the primary is 10.0.0.1:6379",
    ]);
  });

  it("fails a majority that none of them can reach", () => {
    const views = three.map((each) => ({ ...each, view: { ...watching, canFailOver: false } }));
    expect(told(judgeSentinels("eu", views))[0]).toMatch(/^fail sentinel majority: 3 of 3/);
  });

  it("is fine with two texts for one server, by its run id", () => {
    const views = three.map(({ name }, index) => ({
      name,
      view: {
        ...watching,
        primary: { address: `${["localhost", "::1", "127.0.0.1"][index]}:6379`, runId: "a1" },
      },
    }));
    expect(told(judgeSentinels("eu", views)).at(-1)).toBe(
      "ok sentinel agreement: the primary is localhost:6379 = ::1:6379 = 127.0.0.1:6379",
    );
  });

  it("warns of two, and fails those that name two primaries", () => {
    const views = [
      { name: "a", view: { ...watching, others: 1 } },
      { name: "b", view: { ...watching, others: 1, primary: { address: "10.0.0.2:6379", runId: "b2" } } },
    ];
    expect(told(judgeSentinels("eu", views))).toEqual([
      expect.stringMatching(/^warn sentinel majority: 2 of 2/),
      "fail sentinel agreement: they name different primaries: 10.0.0.1:6379, 10.0.0.2:6379",
    ]);
  });
});

describe("the doctor's judgement of a certificate in s2s", () => {
  const served: ServedCertificate = {
    startsAt: inDays(-10),
    expiresAt: inDays(80),
    names: "DNS:eu.push.example",
    isForDomain: true,
    trouble: undefined,
    purposes: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    protocol: "TLSv1.3",
  };

  it.each<[Partial<ServedCertificate>, string, string]>([
    [{}, "ok", "TLSv1.3, certificate for eu.push.example, valid for 80 days"],
    [{ purposes: undefined }, "ok", "valid for 80 days"],
    [{ expiresAt: inDays(13) }, "warn", "expires in 13 days"],
    [{ expiresAt: inDays(0) }, "fail", "has expired"],
    [{ startsAt: later(NOW, millis(1)) }, "fail", "not valid yet"],
    [{ isForDomain: false, names: "DNS:other.example" }, "fail", "is for DNS:other.example"],
    [{ trouble: "SELF_SIGNED_CERT_IN_CHAIN" }, "fail", "not trusted: SELF_SIGNED_CERT_IN_CHAIN"],
    [{ purposes: ["1.3.6.1.5.5.7.3.1"] }, "warn", "no clientAuth"],
    [{ purposes: ["1.3.6.1.5.5.7.3.2"] }, "fail", "not for servers"],
  ])("%j: %s, %s", (change, kind, text) => {
    const finding = judgeServed("s2s", "eu.push.example", { ...served, ...change }, NOW);
    expect(finding).toMatchObject({ kind, text: containing(text) });
  });
});

describe("the doctor's judgement of DNS", () => {
  const target = (change: Partial<Target> = {}): Target => ({
    host: "s1.eu.push.example",
    port: 5269,
    priority: 10,
    tls: "starttls",
    ipv4: ["192.0.2.1"],
    ipv6: ["2001:db8::1"],
    ...change,
  });
  const both = [target(), target({ host: "s2.eu.push.example", priority: 20 })];
  const direct = both.map((each) => ({ ...each, tls: "direct" as const, port: 5270 }));

  it("is fine with two hosts, both ways of TLS, and both kinds of addresses", () => {
    const kinds = judgeTargets("eu.push.example", [...both, ...direct]).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["ok"]));
  });

  it.each<[string, readonly Target[], string]>([
    ["no record", [], "fail SRV _xmpp-server._tcp.eu.push.example: no record"],
    ["one host", [target()], "warn SRV _xmpp-server._tcp.eu.push.example: s1.eu.push.example:5269 alone"],
    ["no direct TLS", both, "warn SRV _xmpps-server._tcp.eu.push.example: no record"],
    [
      "a host without address",
      [target({ ipv4: [], ipv6: [] })],
      "fail address of s1.eu.push.example (starttls): no A",
    ],
    [
      "a host with IPv6 alone",
      [target({ ipv4: [] })],
      "warn address of s1.eu.push.example (starttls): 2001:db8::1:",
    ],
  ])("sees %s", (_what, targets, line) => {
    expect(told(judgeTargets("eu.push.example", targets))).toContainEqual(containing(line));
  });
});

describe("the doctor's judgement of fronts, roles and limits", () => {
  it("counts a taken place as fine, and says so", () => {
    expect(judgeTrial("component", "xmpp://127.0.0.1:5347", { kind: "conflict" })).toMatchObject({
      kind: "ok",
      text: containing("taken"),
    });
    expect(judgeTrial("component", "xmpp://127.0.0.1:5347", { kind: "no-loop" })).toMatchObject({
      kind: "fail",
    });
  });

  it("repeats what a role says of its parts", () => {
    const body = (health: object) => ({ parts: [{ part: "redis", health }] });
    const role = (answer: Parameters<typeof judgeRole>[0]["answer"]) =>
      told([judgeRole({ role: "worker", pid: 7, answer })]);
    const failing = body({ kind: "failing", because: "Redis is away" });
    expect(role({ kind: "answered", status: 200, body: failing })).toEqual([
      "fail worker 7: redis: Redis is away",
    ]);
    expect(role({ kind: "answered", status: 200, body: body({ kind: "draining" }) })).toEqual([
      "warn worker 7: redis is draining",
    ]);
    expect(role({ kind: "silent", because: "no answer within 2 s" })).toEqual([
      "fail worker 7: its socket is there, but no answer within 2 s",
    ]);
  });

  it.each([
    ["4096", "warn"],
    ["512", "fail"],
    ["65536", "ok"],
    ["unlimited", "ok"],
  ])("takes a hard limit of %s files for %s", (hard, kind) => {
    const limits = `Limit  Soft Limit  Hard Limit  Units\nMax open files            256                  ${hard}                files\n`;
    expect(judgeFileLimit("files", limits)).toMatchObject({ kind });
  });
});
