import { describe, expect, it } from "vitest";

import { allKeys, describeConfig, parseConfig, reconfigure } from "../index.ts";

const TEXT = `
region: eu
host: s1.eu.push.example
redis: { url: "redis://127.0.0.1:6379", memoryShare: 0.7 }
ingress:
  components:
    - { service: "xmpp://127.0.0.1:5347", domain: eu.push.example, secretFile: /etc/reveille/component.secret }
modules:
  monalProdiOS:
    apns: { topic: org.example.app, environment: production, certFile: /etc/reveille/apns.p12 }
`;
const before = parseConfig(TEXT, "before");
const change = (from: string, to: string) => {
  expect(TEXT).toContain(from);
  return reconfigure(before, parseConfig(TEXT.replace(from, to), "after"));
};

describe("a reconfiguration", () => {
  it("of nothing is nothing", () => {
    expect(reconfigure(before, parseConfig(TEXT, "after"))).toMatchObject({ applied: [], forRestart: [] });
  });

  it("names what applies at once, with both values as the file has them", () => {
    const { config, applied, forRestart } = change("modules:", "admission: { window: 5m }\nmodules:");
    expect(applied).toEqual([{ key: "admission.window", before: "20s", after: "5m" }]);
    expect(forRestart).toEqual([]);
    expect(config.admission.window).toBe(300_000);
  });

  it("names each key of a module that comes, and of one that goes", () => {
    const { applied, config } = change("  monalProdiOS:", "  other:");
    expect(applied).toContainEqual({
      key: "modules.other.apns.topic",
      before: undefined,
      after: "org.example.app",
    });
    expect(applied).toContainEqual({
      key: "modules.monalProdiOS.apns.topic",
      before: "org.example.app",
      after: undefined,
    });
    expect([...config.modules.keys()]).toEqual(["other"]);
  });

  it("keeps what needs a restart as it was, applies the rest, and asks for the restart again", () => {
    const text = TEXT.replace("6379", "6380").replace("memoryShare: 0.7", "memoryShare: 0.5");
    const after = parseConfig(text, "after");
    const first = reconfigure(before, after);
    expect(first.applied.map(({ key }) => key)).toEqual(["redis.memoryShare"]);
    expect(first.forRestart).toEqual([
      { key: "redis.url", before: "redis://127.0.0.1:6379", after: "redis://127.0.0.1:6380" },
    ]);
    expect(first.config.redis).toMatchObject({ url: "redis://127.0.0.1:6379", memoryShare: 0.5 });
    const again = reconfigure(first.config, after);
    expect(again.applied).toEqual([]);
    expect(again.forRestart).toEqual(first.forRestart);
  });

  it.each([
    ["region: eu", "region: us", "region"],
    ["host: s1", "host: s2", "host"],
    ["secretFile: /etc", "secretFile: /other", "ingress.components"],
    ["modules:", "drainWithin: 5s\nmodules:", "drainWithin"],
    ["modules:", "runtimeDir: /run/other\nmodules:", "runtimeDir"],
    ["modules:", "sidecar: { listen: 127.0.0.1:1 }\nmodules:", "sidecar.listen"],
    [
      "modules:",
      `canary: { component: { service: "xmpp://127.0.0.1:1", domain: canary.example, secretFile: /a }, hostnames: [eu.push.example], module: monalProdiOS }\nmodules:`,
      "canary.component.domain canary.component.secretFile canary.component.service canary.deliveryWithin canary.every canary.hostnames canary.module canary.replyWithin",
    ],
    ["modules:", "worker: { http2: node }\nmodules:", "worker.http2"],
  ])("%s → %s: %s waits for a restart, and the configuration stays", (from, to, key) => {
    const { config, applied, forRestart } = change(from, to);
    expect(applied).toEqual([]);
    expect(forRestart.map((each) => each.key).join(" ")).toBe(key);
    expect(describeConfig(config)).toEqual(describeConfig(before));
  });

  it.each([
    ["modules:", "log: { level: debug }\nmodules:", "log.level"],
    ["modules:", "worker: { pushesAtOnce: 7 }\nmodules:", "worker.pushesAtOnce"],
    [
      "modules:",
      "  domainLimit: { rate: 10/s, burst: 20 }\nmodules:",
      "ingress.domainLimit.burst ingress.domainLimit.rate",
    ],
    ["modules:", "defaultModule: monalProdiOS\nmodules:", "defaultModule"],
    ["modules:", "retiredModules: [oldApp]\nmodules:", "retiredModules"],
    ["environment: production", "environment: sandbox", "modules.monalProdiOS.apns.environment"],
  ])("%s → %s: %s applies at once", (from, to, key) => {
    const { config, applied } = change(from, to);
    expect(applied.map((each) => each.key).join(" ")).toBe(key);
    expect(describeConfig(config)).not.toEqual(describeConfig(before));
  });

  it("with every key that can differ has a place in one of the two lists", () => {
    // Whoever adds a key decides here whether a running role takes it over.
    const known = new Set(allKeys().map((key) => key.replace(/\..*/, "")));
    expect([...known].toSorted((one, other) => one.localeCompare(other))).toEqual([
      "admission",
      "canary",
      "defaultModule",
      "drainWithin",
      "front",
      "host",
      "ingress",
      "log",
      "modules",
      "redis",
      "region",
      "retiredModules",
      "runtimeDir",
      "sidecar",
      "worker",
    ]);
  });
});
