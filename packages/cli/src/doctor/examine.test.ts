import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";

import { startApnsSimulator } from "@reveille/push-simulator";
import { tryComponent } from "@reveille/ingress";
import { parseConfig, systemClock } from "@reveille/runtime";
import { ManualClock, startProsody, startRedis } from "@reveille/testkit";
import { hours, later, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { checkApns } from "./apns.ts";
import { checkComponents } from "./component.ts";
import { checkCredentials } from "./credentials.ts";
import { examine } from "./examine.ts";
import { checkPeers, peersIn } from "./peers.ts";
import { checkRedis } from "./redis.ts";
import { checkSecretFiles } from "./secret-files.ts";
import { checkSentinels } from "./sentinels.ts";
import {
  aHost,
  aDoctorContext,
  aSentinel,
  type TestHost,
  type TestHostOptions,
} from "./testing/a-doctor-context.ts";
import { listening } from "./testing/listening.ts";

const containing = (text: string): unknown => expect.stringContaining(text);

describe("the doctor, shown files", () => {
  it("is content with a secret of one's own, and names one that is open, empty or gone", async () => {
    await using host = await aHost();
    const secret = host.file("component.secret");
    const look = async () => checkSecretFiles(aDoctorContext(host.config));
    expect(await look()).toMatchObject([{ kind: "ok" }]);
    await chmod(secret, 0o644);
    expect(await look()).toMatchObject([{ kind: "warn", cure: `chmod 600 ${secret}` }]);
    await writeFile(secret, "\n");
    expect(await look()).toMatchObject([{ kind: "fail", text: containing("is empty") }]);
    await rm(secret);
    expect(await look()).toMatchObject([{ kind: "fail", text: containing("there is no such file") }]);
  });

  it("looks at the secrets of a canary, too", async () => {
    await using host = await aHost();
    const [secretFile, tokenFile] = [host.file("component.secret"), host.file("device.token")];
    const component = { service: "xmpp://127.0.0.1:1", domain: "canary.example", secretFile };
    const canary = { component, hostnames: ["eu.push.example"], tokenFile };
    const text = `${await readFile(host.configFile, "utf8")}\ncanary: ${JSON.stringify(canary)}\n`;
    const findings = await checkSecretFiles(aDoctorContext(parseConfig(text, "reveille.yaml")));
    expect(findings).toMatchObject([
      { kind: "ok" },
      { kind: "ok", text: containing("canary.component.secretFile") },
      { kind: "fail", text: containing("`canary.tokenFile`") },
    ]);
  });

  it("reads the key of APNs, and says which file is no key", async () => {
    await using host = await aHost();
    const look = async () => checkCredentials(aDoctorContext(host.config));
    expect(await look()).toMatchObject([{ kind: "ok", text: containing("a signing key") }]);
    await writeFile(host.file("key.p8"), "no key");
    expect(await look()).toMatchObject([
      {
        kind: "fail",
        text: containing(host.file("key.p8")),
        cure: containing("modules.monalProdiOS.apns"),
      },
    ]);
  });
});

describe("the doctor, asking APNs", () => {
  async function anApnsHost(options: TestHostOptions = {}, topics?: readonly string[]) {
    await using opened = new AsyncDisposableStack();
    let publicKey = "";
    const host: TestHost = opened.use(await aHost(options));
    publicKey = host.publicKey;
    const simulator = opened.use(
      await startApnsSimulator({
        keys: [{ keyId: "ABC1234567", teamId: "TEAM123456", publicKey }],
        ...(topics === undefined ? {} : { topics }),
      }),
    );
    await writeFile(host.file("apns-ca.pem"), simulator.ca);
    const text = (await import("node:fs")).readFileSync(host.configFile, "utf8");
    const configOf = (change: (text: string) => string = (same) => same) =>
      parseConfig(change(text.replace("https://127.0.0.1:1", simulator.url)), "reveille.yaml");
    const resources = opened.move();
    return { host, simulator, configOf, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }

  it("hears that the credential is accepted, and compares the clocks", async () => {
    await using apns = await anApnsHost();
    expect(await checkApns(aDoctorContext(apns.configOf()))).toMatchObject([
      {
        kind: "ok",
        item: "APNs production for monalProdiOS",
        text: containing("credential and topic accepted"),
      },
      { kind: "ok", item: "clock against Apple's" },
    ]);
  });

  it("sees a host whose clock is an hour ahead", async () => {
    await using apns = await anApnsHost();
    const clock = new ManualClock(later(systemClock.now(), hours(1)));
    expect(await checkApns(aDoctorContext(apns.configOf(), { clock }))).toMatchObject([
      {},
      { kind: "fail", text: containing("s ahead"), cure: containing("NTP") },
    ]);
  });

  it.each<[string, (text: string) => string, string, string]>([
    [
      "another team's key",
      (text) => text.replace("TEAM123456", "TEAM654321"),
      "InvalidProviderToken",
      "keyId and teamId",
    ],
    [
      "a topic of nobody",
      (text) => text.replace("G7YU7X7KRJ.SworIM", "org.example.other"),
      "TopicDisallowed",
      "bundle id",
    ],
  ])("repeats that Apple refuses %s, with the cure", async (_what, change, reason, cure) => {
    await using apns = await anApnsHost({}, ["G7YU7X7KRJ.SworIM"]);
    expect((await checkApns(aDoctorContext(apns.configOf(change))))[0]).toMatchObject({
      kind: "fail",
      text: containing(reason),
      cure: containing(cure),
    });
  });

  it("says why nobody can be reached", async () => {
    await using host = await aHost();
    expect(await checkApns(aDoctorContext(host.config))).toMatchObject([
      {
        kind: "fail",
        text: containing("ECONNREFUSED"),
        cure: containing("nobody accepts connections at 127.0.0.1:1"),
      },
    ]);
  });
});

describe("the doctor, asking Redis", () => {
  const look = async (redis: string) => {
    await using host = await aHost({ redis });
    return await checkRedis(aDoctorContext(host.config, { timeout: seconds(2) }));
  };
  const of = (path: string): string => `url: "redis+unix://${path}"`;

  it("finds each fault of a Redis that would lose wakeups", async () => {
    await using redis = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
    expect(await look(of(redis.path))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: "fail",
          item: "redis maxmemory-policy",
          text: containing("allkeys-lru"),
        }),
        expect.objectContaining({ kind: "fail", item: "redis AOF", cure: containing("appendonly yes") }),
        expect.objectContaining({ kind: "warn", item: "redis memory" }),
        expect.objectContaining({
          kind: "warn",
          item: "redis hash-max-listpack-value",
          cure: containing("CONFIG SET hash-max-listpack-value 8192"),
        }),
        expect.objectContaining({ kind: "warn", item: "redis replicas" }),
        expect.objectContaining({ kind: "ok", item: "clock against Redis'" }),
      ]),
    );
  });

  it("has no fault to find in a good one, but that it is alone", async () => {
    await using redis = await startRedis([
      "--maxmemory",
      "100mb",
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
      "--hash-max-listpack-value",
      "8192",
    ]);
    const findings = await look(of(redis.path));
    // How fast it is depends on what else the machine does; the judgement of that has tests of its own.
    const faults = findings.filter(({ kind, item }) => kind !== "ok" && item !== "redis latency");
    expect(faults.map(({ item }) => item)).toEqual(["redis replicas"]);
  });

  it("says that there is none", async () => {
    expect(await look(of("/nowhere/redis.sock"))).toMatchObject([
      { kind: "fail", item: "redis", text: containing("no Redis at"), cure: containing("start Redis") },
    ]);
  });

  it("hears from a real Sentinel where it has the primary, and that it is alone", async () => {
    await using sentinel = await aSentinel("eu");
    await using host = await aHost({ redis: `sentinels: ["${sentinel.address}"], name: eu` });
    expect(await checkSentinels(aDoctorContext(host.config))).toMatchObject([
      { kind: "warn", item: "sentinel majority", text: containing("1 of 1") },
      { kind: "ok", item: "sentinel agreement", text: "the primary is 127.0.0.1:1" },
    ]);
    await using stranger = await aHost({ redis: `sentinels: ["${sentinel.address}"], name: us` });
    expect((await checkSentinels(aDoctorContext(stranger.config)))[0]).toMatchObject({
      kind: "fail",
      text: containing("no primary of that name"),
      cure: containing("monitor us"),
    });
  });

  it("says which Sentinel is away, and that nobody can fail over", async () => {
    await using host = await aHost({ redis: `sentinels: ["127.0.0.1:1"], name: eu` });
    expect(await checkSentinels(aDoctorContext(host.config))).toMatchObject([
      { kind: "fail", item: "sentinel 127.0.0.1:1", text: containing("ECONNREFUSED") },
      { kind: "fail", item: "sentinel majority" },
      { kind: "skipped", item: "sentinel agreement" },
    ]);
  });
});

describe("the doctor, at the front", () => {
  const look = async (options: TestHostOptions) => {
    await using host = await aHost({ domain: "push.localhost", ...options });
    return await checkComponents(aDoctorContext(host.config));
  };

  it("takes the place for one ping, and gives it back", async () => {
    await using front = await startProsody();
    const { service, secret } = front;
    expect(await look({ service, secret })).toMatchObject([
      { kind: "ok", text: containing("a ping to ourselves came back") },
    ]);
    expect(await tryComponent({ service, secret, domain: "push.localhost" }, systemClock)).toEqual({
      kind: "loop",
    });
  });

  it.each<[string, TestHostOptions, string, string]>([
    ["another secret", { secret: "wrong" }, "not-authorized", "the same secret"],
    ["an unknown domain", { domain: "other.localhost" }, "host-unknown", "declare the component"],
    ["nobody", { service: "xmpp://127.0.0.1:1" }, "ECONNREFUSED", "start the front"],
  ])("repeats what the front says to %s", async (_what, options, text, cure) => {
    await using front = await startProsody();
    const findings = await look({ service: front.service, secret: front.secret, ...options });
    expect(findings).toMatchObject([{ kind: "fail", text: containing(text), cure: containing(cure) }]);
  });

  it("does not disturb an ingress that says it is well", async () => {
    await using host = await aHost();
    const body = { parts: [{ part: "component", health: { kind: "ready" } }] };
    const roles = [{ role: "ingress", pid: 1, answer: { kind: "answered", status: 200, body } }] as const;
    expect(await checkComponents(aDoctorContext(host.config, { roles }))).toMatchObject([
      { kind: "ok", text: containing("the running ingress") },
    ]);
  });
});

describe("the doctor, asking the other host", () => {
  it("repeats why it is not ready, and that it is away", async () => {
    const answer = { status: 503, body: "worker 7: redis is failing" };
    await using other = await listening(
      createHttpServer((_request, response) => void response.writeHead(answer.status).end(answer.body)),
    );
    await using host = await aHost();
    const look = async (port: number) =>
      checkPeers(aDoctorContext(host.config, { peers: [new URL(`http://127.0.0.1:${port}`)] }));
    expect(await look(other.port)).toMatchObject([
      { kind: "fail", text: "not ready (503): worker 7: redis is failing" },
    ]);
    answer.status = 200;
    expect(await look(other.port)).toMatchObject([{ kind: "ok" }]);
    expect(await look(1)).toMatchObject([{ kind: "fail", cure: containing("sidecar") }]);
  });
});

describe("the doctor, told of no peer", () => {
  it("asks the machines of the other fronts that the configuration has", async () => {
    await using host = await aHost();
    const text = await readFile(host.configFile, "utf8");
    const front = (host: string, domain: string): string =>
      `    - { service: "xmpp://${host}:5347", domain: ${domain}, secretFile: /secret }\n`;
    const others = [
      front("127.0.0.1", "push.example"),
      front("10.0.0.2", "eu.push.example"),
      front("10.0.0.2", "push.example"),
      front("[fd00::2]", "eu.push.example"),
    ].join("");
    const config = parseConfig(text.replace("modules:\n", `${others}modules:\n`), "reveille.yaml");
    expect(peersIn(config).map(String)).toEqual(["http://10.0.0.2:9464/", "http://[fd00::2]:9464/"]);
    expect(await checkPeers(aDoctorContext(host.config))).toMatchObject([
      { kind: "skipped", text: containing("--peer") },
    ]);
  });
});

describe("the doctor, with everything away", () => {
  it("has a finding for each item, and a cure for each that fails", async () => {
    await using host = await aHost();
    const context = aDoctorContext(host.config, { dnsServers: ["127.0.0.1:1"], timeout: seconds(1) });
    const findings = await examine(context);
    const failing = findings.filter(({ kind }) => kind === "fail");
    expect(failing.map(({ item }) => item)).toEqual([
      "APNs production for monalProdiOS",
      "redis",
      "component eu.push.example at xmpp://127.0.0.1:1",
      "DNS of eu.push.example",
    ]);
    expect(failing.every((finding) => "cure" in finding && finding.cure.length > 10)).toBe(true);
  });
});
