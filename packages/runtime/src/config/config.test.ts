import { readFile } from "node:fs/promises";

import { aModule } from "@reveille/testkit";
import { hours, minutes, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, parseDocument, visit } from "yaml";

import {
  allKeys,
  ConfigError,
  describeCanaryFile,
  describeConfig,
  type Mistake,
  parseCanaryFile,
  parseConfig,
  parseMachine,
} from "../index.ts";

const SMALLEST = `
region: eu
host: s1.eu.push.example
redis: { url: "redis://127.0.0.1:6379" }
ingress:
  components:
    - { service: "xmpp://127.0.0.1:5347", domain: eu.push.example, secretFile: /etc/reveille/front/component.secret }
modules:
  monalProdiOS:
    apns:
      topic: G7YU7X7KRJ.SworIM
      environment: production
      keyFile: /etc/reveille/apns/AuthKey_ABC1234567.p8
      keyId: ABC1234567
      teamId: TEAM123456
`;

/** The smallest configuration with one text replaced. */
function changed(from: string, to: string): string {
  expect(SMALLEST).toContain(from);
  return SMALLEST.replace(from, () => to);
}

function mistakesIn(text: string): readonly Mistake[] {
  try {
    parseConfig(text, "config.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  it("needs few keys: the others have defaults", () => {
    const config = parseConfig(SMALLEST, "config.yaml");
    expect(config).toMatchObject({
      runtimeDir: "/run/reveille",
      admission: { window: seconds(20), forgetDeadAfter: hours(7 * 24) },
      sidecar: { listen: { host: "127.0.0.1", port: 9464 } },
      log: { level: "info" },
      drainWithin: seconds(25),
    });
    expect(config.modules.get(aModule())).toMatchObject({
      apns: { credential: { kind: "key", keyId: "ABC1234567" } },
      alert: { title: "New Message", body: "New Message?" },
      sound: "default",
      expireAfter: hours(28 * 24),
      deadline: hours(1),
      custom: {},
    });
  });

  it("names Sentinels instead of one Redis", () => {
    const text = changed(
      `{ url: "redis://127.0.0.1:6379" }`,
      `{ sentinels: ["10.0.0.1:26379", "[::1]:26380"], name: eu, passwordFile: /etc/redis.password }`,
    );
    expect(parseConfig(text, "config.yaml").redis).toEqual({
      sentinels: [
        { host: "10.0.0.1", port: 26379 },
        { host: "::1", port: 26380 },
      ],
      name: "eu",
      passwordFile: "/etc/redis.password",
      rewriteEvery: 600_000,
      waitReplicas: 0,
      memoryShare: 0.7,
    });
  });

  it("gives a module a certificate, a way to Apple and a window of its own", () => {
    const text = changed(
      `keyFile: /etc/reveille/apns/AuthKey_ABC1234567.p8
      keyId: ABC1234567
      teamId: TEAM123456
`,
      `certFile: /etc/apns.p12
      passphraseFile: /etc/apns.pass
      endpoint: "https://api.push.apple.com:2197"
      proxy: "http://proxy.internal:3128"
    priority: 5
    quiet: background
    window: 5m
`,
    );
    expect(parseConfig(text, "config.yaml").modules.get(aModule())).toMatchObject({
      apns: {
        credential: { kind: "certificate", certFile: "/etc/apns.p12", passphraseFile: "/etc/apns.pass" },
        endpoint: "https://api.push.apple.com:2197",
        proxy: "http://proxy.internal:3128",
      },
      priority: 5,
      quiet: "background",
      window: minutes(5),
    });
  });

  it("described is a configuration that says the same", async () => {
    const example = await readFile(exampleFile, "utf8");
    for (const text of [SMALLEST, example]) {
      const config = parseConfig(text, "config.yaml");
      expect(parseConfig(describeConfig(config), "described.yaml")).toEqual(config);
    }
    expect(describeConfig(parseConfig(SMALLEST, "config.yaml"))).toContain("forgetDeadAfter: 7d");
  });
});

describe("a canary's configuration", () => {
  const CANARY = `
region: watch
host: w.example
canary:
  component: { service: "xmpp://127.0.0.1:5347", domain: canary.example, secretFile: /etc/reveille/canary/component.secret }
  hostnames: [eu.push.example]
`;
  const mistakes = (text: string): readonly string[] => {
    try {
      parseCanaryFile(text, "canary.yaml");
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.mistakes.map(({ line, key, message }) => `${line} ${key}: ${message}`);
    }
  };

  it("needs no Redis, no ingress and no module, and may have all of them", () => {
    const file = parseCanaryFile(CANARY, "canary.yaml");
    expect(file.redis).toBeUndefined();
    expect(file.canary).toMatchObject({ every: minutes(1), replyWithin: seconds(30) });
    expect(mistakes(SMALLEST + CANARY.replace(/^region.*\nhost.*$/m, ""))).toEqual([]);
    const whole = parseConfig(SMALLEST + CANARY.replace(/^region.*\nhost.*$/m, ""), "config.yaml");
    expect(whole.canary).toEqual(file.canary);
    expect(parseConfig(describeConfig(whole), "described.yaml")).toEqual(whole);
    expect(parseCanaryFile(describeCanaryFile(file), "described.yaml")).toEqual(file);
  });

  it("is told from a host's by what publishes go through", () => {
    const own = CANARY.replace(/^region.*\nhost.*$/m, "");
    const kindOf = (text: string): string => parseMachine(text, "reveille.yaml").kind;
    expect([CANARY, SMALLEST, SMALLEST + own].map(kindOf)).toEqual(["outside", "host", "host"]);
    for (const text of ["", "canary", "["]) expect(() => kindOf(text)).toThrow(ConfigError);
  });

  it.each([
    ["no section", /^canary[\s\S]*/m, "", "2 canary: is missing"],
    ["no hostname", "[eu.push.example]", "[]", "6 canary.hostnames: must name at least one hostname"],
    ["a hostname twice", "[eu", "[eu.push.example, eu", "6 canary.hostnames: names a hostname twice"],
    [
      "a misspelt key",
      "  hostnames",
      "  evry: 1m\n  hostnames",
      "6 canary.evry: is no key of the configuration",
    ],
    [
      "a round that alerts would not see",
      "  hostnames",
      "  every: 11m\n  hostnames",
      "6 canary.every: must be 10s to 10m",
    ],
    [
      "more patience than workers have memory",
      "  hostnames",
      "  deliveryWithin: 61s\n  hostnames",
      "6 canary.deliveryWithin: must be 1s to 60s",
    ],
    [
      "a front without a port",
      "127.0.0.1:5347",
      "127.0.0.1",
      "5 canary.component.service: must be xmpp://host:port of the front's component listener",
    ],
  ])("tells %s with its place", (_what, from, to, mistake) => {
    expect(mistakes(CANARY.replace(from, to))).toEqual([mistake]);
  });
});

describe("a mistake in the configuration", () => {
  it.each<[string, string, string, Partial<Record<keyof Mistake, unknown>>]>([
    [
      "a misspelt key",
      "redis:",
      "admission: { windwo: 20s }\nredis:",
      { line: 4, key: "admission.windwo", hint: expect.stringContaining("did you mean `window`?") },
    ],
    [
      "an unknown key that looks like none",
      "host:",
      "colour: red\nhost:",
      { line: 3, column: 1, key: "colour", hint: expect.stringMatching(/^keys known here: region, host/) },
    ],
    [
      "a duration without unit",
      "redis:",
      "admission: { window: 20 }\nredis:",
      { line: 4, column: 22, key: "admission.window", hint: "for example: `window: 20s`" },
    ],
    [
      "a duration in an unknown unit",
      "redis:",
      "drainWithin: 3 weeks\nredis:",
      { key: "drainWithin", message: "must be a duration with a unit: ms, s, m, h or d" },
    ],
    [
      "no region",
      "region: eu\n",
      "",
      { line: 2, key: "region", message: "is missing", hint: "for example: `region: eu`" },
    ],
    ["a region in capitals", "region: eu", "region: EU", { line: 2, column: 9, key: "region" }],
    ["no Redis", `redis: { url: "redis://127.0.0.1:6379" }\n`, "", { key: "redis", message: "is missing" }],
    [
      "half a Sentinel",
      `{ url: "redis://127.0.0.1:6379" }`,
      "{ name: eu }",
      { line: 4, key: "redis", message: "needs either `url`, or `sentinels` and `name`" },
    ],
    ["a password in a URL", "redis://127", "redis://:sesame@127", { line: 4, key: "redis.url" }],
    [
      "a service without port",
      "xmpp://127.0.0.1:5347",
      "xmpp://127.0.0.1",
      { line: 7, key: "ingress.components.0.service" },
    ],
    [
      "a window of no time",
      "redis:",
      "admission: { window: 0s }\nredis:",
      { line: 4, key: "admission.window" },
    ],
    [
      "the same component twice",
      "    - { service",
      `    - { service: "xmpp://127.0.0.1:5347", domain: eu.push.example, secretFile: /a }\n    - { service`,
      { key: "ingress.components", message: "names a component of the same front twice" },
    ],
    [
      "a relative path",
      "/etc/reveille/front/component.secret",
      "component.secret",
      { key: "ingress.components.0.secretFile" },
    ],
    [
      "a half credential",
      "      keyId: ABC1234567\n",
      "",
      {
        line: 11,
        key: "modules.monalProdiOS.apns",
        message: "needs all three of `keyFile`, `keyId` and `teamId`",
        hint: expect.stringContaining("`keyId: ABC1234567`"),
      },
    ],
    [
      "two credentials",
      "      keyId:",
      "      certFile: /etc/a.p12\n      keyId:",
      { key: "modules.monalProdiOS.apns", message: expect.stringContaining("needs one credential") },
    ],
    [
      "an environment that is none",
      "environment: production",
      "environment: prod",
      { line: 12, key: "modules.monalProdiOS.apns.environment" },
    ],
    [
      "a proxy with a user and no password",
      "      keyId:",
      "      proxy: http://me@proxy:3128\n      keyId:",
      { key: "modules.monalProdiOS", message: expect.stringContaining("half a login for the proxy") },
    ],
    [
      "a proxy with a password",
      "      keyId:",
      "      proxy: http://me:sesame@proxy:3128\n      keyId:",
      { line: 14, key: "modules.monalProdiOS.apns.proxy" },
    ],
    [
      "a priority that is none",
      "    apns:\n",
      "    priority: 1\n    apns:\n",
      { line: 10, column: 15, key: "modules.monalProdiOS.priority", hint: "for example: `priority: 10`" },
    ],
    [
      "no push service",
      `    apns:
      topic: G7YU7X7KRJ.SworIM
      environment: production
      keyFile: /etc/reveille/apns/AuthKey_ABC1234567.p8
      keyId: ABC1234567
      teamId: TEAM123456
`,
      "    sound: none\n",
      {
        line: 10,
        key: "modules.monalProdiOS",
        message: "needs its push service: either `apns` or `fcm`",
        hint: expect.stringContaining("fcm: { projectId"),
      },
    ],
    [
      "two push services",
      "    apns:\n",
      "    fcm: { projectId: my-project, serviceAccountFile: /etc/reveille/fcm.json }\n    apns:\n",
      { key: "modules.monalProdiOS", message: expect.stringContaining("either `apns` or `fcm`") },
    ],
    ["a module with a strange name", "monalProdiOS:", "monal prod:", { line: 9, key: "modules.monal prod" }],
    ["no module at all", SMALLEST.slice(SMALLEST.indexOf("modules:")), "modules: {}", { key: "modules" }],
    [
      "a default module that is none",
      "modules:",
      "defaultModule: monal\nmodules:",
      { line: 8, column: 16, key: "defaultModule", hint: "modules known here: monalProdiOS" },
    ],
    [
      "a custom key of Apple",
      "    apns:\n",
      "    custom: { aps: {} }\n    apns:\n",
      { line: 10, key: "modules.monalProdiOS.custom" },
    ],
    ...[
      ["8e287857", "the number Infinity"],
      ["0x12", "the number 18"],
      ["0o17", "the number 15"],
      ["1234567890", "the number 1234567890"],
      ["007", "the number 7"],
      ["1e3", "the number 1000"],
      ["true", "yes or no (true)"],
      ["null", "nothing (null)"],
    ].flatMap(([id = "", read]): [string, string, string, object][] => [
      [
        `a region that YAML reads as ${read} (${id})`,
        "region: eu",
        `region: ${id}`,
        {
          line: 2,
          key: "region",
          message: `is text, but YAML reads ${id} without quotes as ${read}`,
          hint: `put it in quotes: \`region: "${id}"\``,
        },
      ],
      [
        `a module's name that YAML reads as ${read} (${id})`,
        "monalProdiOS:",
        `${id}:`,
        { line: 9, key: id, hint: `put it in quotes: \`"${id}":\`` },
      ],
    ]),
    [
      "an id that quotes alone do not cure",
      "keyId: ABC1234567",
      "keyId: 8e287857",
      {
        message: "must be Apple's key id of ten capital letters and digits",
        hint: "for example: `keyId: ABC1234567`",
      },
    ],
    [
      "a key id that YAML reads as a number",
      "keyId: ABC1234567",
      "keyId: 12345E6789",
      { hint: 'put it in quotes: `keyId: "12345E6789"`' },
    ],
    [
      "a name that YAML reads as a number, in a list",
      "host: s1",
      "canary: { component: { service: 'xmpp://10.0.1.1:5347', domain: a.example, secretFile: /s }, hostnames: [1e3] }\nhost: s1",
      { key: "canary.hostnames.0", hint: 'put it in quotes: `hostnames: "1e3"`' },
    ],
    [
      "a key twice",
      "host:",
      "region: us\nhost:",
      { line: 3, key: "", message: expect.stringContaining("unique") },
    ],
    ["broken syntax", "redis: {", "redis: [", { line: 4, key: "" }],
    [
      "an alias of nothing",
      "region: eu",
      "region: *eu",
      { line: 2, column: 9, key: "", message: expect.stringContaining("Unresolved alias") },
    ],
    ["an unknown tag", "region: eu", "region: !secret eu", { line: 2, key: "" }],
  ])("such as %s is told with its place and a cure", (_what, from, to, mistake) => {
    const found = mistakesIn(changed(from, to));
    expect(found).toContainEqual(expect.objectContaining({ file: "config.yaml", ...mistake }));
    expect(found.every(({ hint }) => hint !== "")).toBe(true);
  });

  it("does not hide the others", () => {
    const text = changed("region: eu", "regoin: eu\nadmission: { window: 5 }\ndefaultModule: monal").replace(
      "keyId",
      "keyID",
    );
    expect(mistakesIn(text).map(({ line, key }) => `${line} ${key}`)).toEqual([
      "2 region",
      "2 regoin",
      "3 admission.window",
      "4 defaultModule",
      "16 modules.monalProdiOS.apns.keyID",
    ]);
  });

  it("is all that any text gives, never another exception", () => {
    const lines = SMALLEST.split("\n");
    const mangled = fc
      .tuple(fc.nat(lines.length - 1), fc.string())
      .map(([at, text]) => lines.with(at, text).join("\n"));
    const isJudged = (text: string): boolean => mistakesIn(text).every(({ line }) => line > 0);
    expect(() => fc.assert(fc.property(fc.oneof(fc.string(), mangled), isJudged))).not.toThrow();
  });

  it("reads as two lines: where and what, then the cure", () => {
    const error = new ConfigError(mistakesIn(changed("region: eu", "region: EU")));
    expect(error.message).toBe(
      "config.yaml:2:9 region: must be 1 to 32 lower-case letters, digits and dashes\n    for example: `region: eu`",
    );
  });
});

const exampleFile = new URL("../../../../deploy/config.example.yaml", import.meta.url);

describe("deploy/config.example.yaml", () => {
  it("holds every key of the schema, and no other", async () => {
    const example = await readFile(exampleFile, "utf8");
    expect(keysOf(example)).toEqual(allKeys().toSorted());
  });

  it("is a valid configuration", async () => {
    expect(mistakesIn(await readFile(exampleFile, "utf8"))).toEqual([]);
  });

  it("shows the defaults where a key has one", async () => {
    const example = parseConfig(await readFile(exampleFile, "utf8"), "example");
    const smallest = parseConfig(SMALLEST, "smallest");
    expect(parse(describeConfig(example))).toEqual({
      ...parse(describeConfig(smallest)),
      defaultModule: "monalProdiOS",
      retiredModules: [],
    });
  });
});

/** Dotted paths of all keys of the example, also of those in its comments; names of one's own as `*`. */
function keysOf(example: string): readonly string[] {
  const sections = example.replaceAll(
    /^# (\w+:)\n((?:# {3,}.*\n)+)/gm,
    (_lines, name: string, below: string) => [`${name}\n`, below.replaceAll(/^# /gm, "")].join(""),
  );
  const uncommented = sections.replaceAll(/^( *)# (\w+: .*)$/gm, (line, indent: string, key: string) =>
    /^\w+: \S+/.test(key) && allKeys().some((path) => path.endsWith(`.${key.split(":")[0]}`))
      ? `${indent}${key}`
      : line,
  );
  const document = parseDocument(uncommented);
  const paths = new Set<string>();
  visit(document, {
    Pair: (_key, pair, above) => {
      const steps = [...above, pair].flatMap((node) => {
        if (typeof node !== "object" || node === null || !("key" in node)) return [];
        return [String(node.key)];
      });
      const inList = steps.slice(0, 2).join(".") === "ingress.components" && steps.length > 2;
      const path = inList ? [...steps.slice(0, 2), "*", ...steps.slice(2)] : steps;
      if (path[0] === "modules" && path.length > 1) path[1] = "*";
      if (path[0] === "front" && path[1] === "hostnames" && path.length > 2) path[2] = "*";
      if (path.at(-1) !== "*") paths.add(path.join("."));
    },
  });
  return [...paths].toSorted();
}
