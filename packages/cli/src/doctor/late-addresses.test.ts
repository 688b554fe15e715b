import { readFile } from "node:fs/promises";

import { type Config, parseConfig } from "@reveille/runtime";
import { describe, expect, it } from "vitest";

import { type Finding } from "./finding.ts";
import { checkLateAddresses, lateAddresses } from "./late-addresses.ts";
import { thisMachine } from "./machine.ts";
import { aHost, aDoctorContext, type TestHostOptions } from "./testing/a-doctor-context.ts";

/** A host's configuration with this section for its sidecar. */
async function aConfig(options: TestHostOptions, sidecar = ""): Promise<Config> {
  await using host = await aHost(options);
  const text = await readFile(host.configFile, "utf8");
  return parseConfig(`${text}\nsidecar: { ${sidecar} }\n`, "reveille.yaml");
}

/** As it is rendered for the first of two hosts. */
const RENDERED = [
  { redis: 'sentinels: ["10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"], name: reveille-eu' },
  'listen: "10.0.0.1:9464", fronts: ["10.0.0.1:15270"]',
] as const;

const EVERYWHERE = ["127.0.0.1", "::1", "192.0.2.1"];

async function look(config: Config, parts: Readonly<Record<string, string>>, present = EVERYWHERE) {
  const machine = {
    addresses: () => present,
    units: async () => [],
    setting: async (name: string) => parts[name],
  };
  return checkLateAddresses(aDoctorContext(config, { machine }));
}

const told = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ kind, item, text }) => `${kind} ${item}: ${text}`);

describe("the doctor, on a host whose parts listen on a tunnel's address", () => {
  it("warns that they stay away after a boot that is faster than the tunnel, with the line that mends it", async () => {
    const config = await aConfig(...RENDERED);
    const [finding, ...more] = await look(config, { "net.ipv4.ip_nonlocal_bind": "0" });
    expect(more).toEqual([]);
    expect(finding).toEqual({
      kind: "warn",
      item: "net.ipv4.ip_nonlocal_bind",
      text: "0: what listens on 10.0.0.1 may stay away after a boot in which that address comes late",
      cure: "echo net.ipv4.ip_nonlocal_bind=1 >>/etc/sysctl.d/60-reveille.conf; sysctl --load /etc/sysctl.d/60-reveille.conf",
    });
  });

  it("is content with the setting, and does not guess where there is none", async () => {
    const config = await aConfig(...RENDERED);
    expect(told(await look(config, { "net.ipv4.ip_nonlocal_bind": "1" }))).toEqual([
      "ok net.ipv4.ip_nonlocal_bind: 1, for 10.0.0.1",
    ]);
    expect(told(await look(config, {}))).toEqual([
      "skipped net.ipv4.ip_nonlocal_bind: this kernel does not say",
    ]);
  });

  it("looks at IPv6 by a setting of its own, if the configuration has such addresses", async () => {
    const sentinels = 'sentinels: ["[fd00::1]:26379", "10.0.0.1:26379"], name: eu';
    const config = await aConfig({ redis: sentinels }, 'listen: "[fd00::1]:9464"');
    const settings = { "net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.ip_nonlocal_bind": "0" };
    const findings = await look(config, settings, [...EVERYWHERE, "10.0.0.1"]);
    expect(told(findings)).toEqual([
      "ok net.ipv4.ip_nonlocal_bind: 1, for 10.0.0.1",
      "warn net.ipv6.ip_nonlocal_bind: 0: what listens on fd00::1 may stay away after a boot in which that address comes late",
    ]);
    const cure: unknown = expect.stringContaining("net.ipv6.ip_nonlocal_bind=1");
    expect(findings[1]).toMatchObject({ cure });
  });

  it("looks at nothing where all parts listen on the loopback or everywhere", async () => {
    for (const listen of ["127.0.0.1:9464", "0.0.0.0:9464", "[::]:9464", "localhost:9464", "[::1]:9464"]) {
      const config = await aConfig({ redis: 'url: "redis://127.0.0.1:6379"' }, `listen: "${listen}"`);
      expect(told(await look(config, { "net.ipv4.ip_nonlocal_bind": "0" }))).toEqual([
        "skipped net.ipv4.ip_nonlocal_bind: nothing here has an address that may come late",
      ]);
    }
  });
});

describe("addresses that may come late", () => {
  it.each<[string, TestHostOptions, string]>([
    ["Redis", { redis: 'url: "redis://10.0.0.1:6379"' }, ""],
    ["a Sentinel", { redis: 'sentinels: ["10.0.0.1:26379"], name: eu' }, ""],
    ["the front", { service: "xmpp://10.0.0.1:5347" }, ""],
    ["a front for servers", {}, 'fronts: ["10.0.0.1:5270"]'],
  ])("are those of %s if this machine has it, not another's", async (_what, options, sidecar) => {
    const config = await aConfig(options, sidecar);
    expect(lateAddresses(config, ["10.0.0.1"])).toEqual(["10.0.0.1"]);
    expect(lateAddresses(config, ["10.0.0.2"])).toEqual([]);
  });

  it("are the sidecar's in any case, also while the tunnel is away", async () => {
    const sidecar = 'listen: "10.0.0.1:9464", statusListen: "10.0.0.4:9465"';
    const redis = 'sentinels: ["10.0.0.1:26379", "10.0.0.2:26379"], name: eu';
    expect(lateAddresses(await aConfig({ redis }, sidecar), [])).toEqual(["10.0.0.1", "10.0.0.4"]);
  });

  it("are known however they are written", async () => {
    const config = await aConfig({ service: "xmpp://[fd00::1]:5347" }, "");
    expect(lateAddresses(config, ["FD00:0:0::1"])).toEqual(["fd00::1"]);
  });
});

it("a machine tells its addresses and its settings", async () => {
  expect(thisMachine.addresses()).toContain("127.0.0.1");
  expect(await thisMachine.setting("kernel.ostype")).toBe("Linux");
  expect(await thisMachine.setting("net.ipv4.no_such_setting")).toBeUndefined();
});
