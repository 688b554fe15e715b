import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { allPlanKeys, ConfigError, parseModules, parsePlan } from "../index.ts";

const read = async (name: string): Promise<string> =>
  readFile(new URL(`../../../../deploy/${name}`, import.meta.url), "utf8");

const PLAN = `region: eu
hostname: eu.push.example
hosts:
  - { name: s1.eu.push.example, addresses: [192.0.2.1], inside: 10.0.0.1 }
  - { name: s2.eu.push.example, addresses: [192.0.2.2], inside: 10.0.0.2 }
witness: { name: w.eu.push.example, inside: 10.0.0.3 }
modulesFile: modules.yaml
`;

function mistakesIn(text: string): readonly string[] {
  try {
    parsePlan(text, "plan.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(({ line, key, message }) => `${line} ${key}: ${message}`);
  }
}

describe("a plan", () => {
  it("needs little", () => {
    expect(mistakesIn(PLAN)).toEqual([]);
    expect(parsePlan(PLAN, "plan.yaml")).toMatchObject({ front: "prosody", fallbacks: [], alsoServes: [] });
  });

  it.each([
    ["a misspelt key", "hostname:", "hostnmae:", "2 hostnmae: is no key of the configuration"],
    ["an address that is a name", "10.0.0.2", "ten", "5 hosts.1.inside: must be an IPv4 address"],
    ...["192.0.2.2", "8.8.8.8", "172.32.0.1", "100.128.0.1", "11.0.0.1", "0.0.0.0"].map(
      (address): [string, string, string, string] => [
        `an inside address that is public, ${address}`,
        "10.0.0.2",
        address,
        "5 hosts.1.inside: is an address of the internet: Redis, Sentinel and the front's component port would listen there for everybody",
      ],
    ),
    [
      "a public address of the witness",
      "10.0.0.3",
      "203.0.113.3",
      "6 witness.inside: is an address of the internet: Redis, Sentinel and the front's component port would listen there for everybody",
    ],
    [
      "two machines at one address",
      "10.0.0.3",
      "10.0.0.1",
      "6 witness.inside: is that of another machine of this plan",
    ],
    [
      "two machines of one name",
      "w.eu.",
      "s2.eu.",
      "6 witness.name: is that of another machine of this plan",
    ],
    [
      "two hosts without a witness",
      /^witness.*\n/m,
      "",
      "4 hosts: two hosts need a `witness`: of two Sentinels none has a majority when a host is gone",
    ],
    ["a witness of a single host", /^ {2}- \{ name: s2.*\n/m, "", "5 witness: serves two hosts; here is one"],
    [
      "a host with the region's name",
      "name: s1.eu",
      "name: eu",
      "4 hosts.0.name: is the hostname of the region, which all its hosts share",
    ],
    [
      "its own hostname among others",
      "modulesFile",
      "alsoServes: [eu.push.example]\nmodulesFile",
      "7 alsoServes.0: is this region's own hostname",
    ],
    [
      "a canary that no host runs",
      "modulesFile",
      "canary: { host: s3.eu.push.example, service: xmpp://10.0.1.1:5347, domain: canary.example }\nmodulesFile",
      "7 canary.host: is no host of this plan",
    ],
    [
      "a canary that publishes to itself",
      "modulesFile",
      "canary: { host: s2.eu.push.example, service: xmpp://10.0.1.1:5347, domain: eu.push.example }\nmodulesFile",
      "7 canary.domain: is served by this region itself",
    ],
    [
      "a canary at a front of its own",
      "modulesFile",
      "canary: { host: s2.eu.push.example, service: xmpp://10.0.0.1:5347, domain: canary.example }\nmodulesFile",
      "7 canary.service: is a front of this region, which would hand publishes over without s2s",
    ],
    [
      "an unknown front",
      "hostname",
      "front: nginx\nhostname",
      `2 front: must be one of "reveille"|"prosody"|"ejabberd"`,
    ],
  ])("says where it has %s", (_what, from, to, mistake) => {
    expect(mistakesIn(PLAN.replace(from, to))).toContain(mistake);
  });
});

describe("deploy/plan.example.yaml", () => {
  it("is a valid plan that names every key", async () => {
    const text = await read("plan.example.yaml");
    expect(mistakesIn(text)).toEqual([]);
    expect(keysOf(parse(text)).toSorted()).toEqual(allPlanKeys().toSorted());
  });

  it("goes with deploy/modules.example.yaml", async () => {
    const { defaultModule, modules } = parseModules(await read("modules.example.yaml"), "modules.yaml");
    expect([...modules.keys()]).toEqual([defaultModule]);
  });
});

/** Every key below a value as a dotted path, `*` for list entries. */
function keysOf(value: unknown, prefix = ""): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((one) => keysOf(one, `${prefix}.*`)))];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    return [path, ...keysOf(below, path)];
  });
}
