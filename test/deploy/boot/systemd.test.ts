import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type BootedHost, bootHost, run, whyNoBoot } from "./booted-host.ts";

const unable = await whyNoBoot();
if (unable !== undefined) process.stdout.write(`boot: skipped, ${unable}\n`);

const CHECKOUT = join(import.meta.dirname, "../../..");
const ROLES = ["reveille-sidecar", "reveille-worker@1", "reveille-worker@2", "reveille-ingress"];
/** What the first target of a boot wants; the installer has put ours there. */
const BOOT_WANTS = "etc/systemd/system/multi-user.target.wants";
const SOON = { timeout: 90_000 };
const NODE = "/opt/reveille/current/node_modules/.bin/node";
const PRINT_METRICS = `console.log(await (await fetch("http://127.0.0.1:9464/metrics")).text())`;

let folder: string;
let host: BootedHost;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-systemd-"));
  host = await bootHost(await aLayer());
}, 480_000);
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** What an operator puts on a host: two releases, of which the newer one's workers end at once, configuration, secrets. */
async function aLayer(): Promise<string> {
  const layer = join(folder, "layer");
  await mkdir(layer);
  const install = async (checkout: string, ...args: readonly string[]) =>
    expect(await run("sh", join(checkout, "deploy/install.sh"), "--root", layer, ...args)).toMatchObject({
      code: 0,
    });
  await install(CHECKOUT);
  await install(await aBrokenCheckout());
  await install(CHECKOUT, "--rollback");
  const etc = join(layer, "etc/reveille");
  const config = await readFile(join(CHECKOUT, "deploy/config.example.yaml"), "utf8");
  await writeFile(join(etc, "reveille.yaml"), config + (await placeCanary(layer)));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(join(etc, "apns/AuthKey_ABC1234567.p8"), key, { mode: 0o600 });
  await writeFile(join(etc, "fcm/service-account.json"), "{}", { mode: 0o600 });
  await writeFile(join(etc, "front/component.secret"), "secret", { mode: 0o600 });
  await symlink("/lib/systemd/system/redis-server.service", join(layer, BOOT_WANTS, "redis-server.service"));
  // The tests have less patience than operators.
  const impatient = join(layer, "etc/systemd/system/reveille-.service.d");
  await mkdir(impatient, { recursive: true });
  await writeFile(join(impatient, "test.conf"), "[Service]\nWatchdogSec=8s\n");
  return layer;
}

/** What `reveille render` makes for a canary: the secret and a front for it, and the section, which is returned. */
async function placeCanary(layer: string): Promise<string> {
  const rendered = join(folder, "rendered");
  const plan = join(CHECKOUT, "deploy/plan.example.yaml");
  expect(await run(join(CHECKOUT, "packages/cli/reveille"), "render", plan, "--out", rendered)).toMatchObject(
    {
      code: 0,
    },
  );
  await writeFile(join(layer, "etc/reveille/canary/component.secret"), "CANARY_SECRET", { mode: 0o600 });
  await mkdir(join(layer, "etc/prosody/conf.d"), { recursive: true });
  await writeFile(join(layer, "etc/prosody/prosody.cfg.lua"), FRONT);
  await cp(join(rendered, "canary-front/prosody.cfg.lua"), join(layer, "etc/prosody/conf.d/canary.cfg.lua"));
  const config = await readFile(join(rendered, "s2.eu.push.example/reveille.yaml"), "utf8");
  return config.slice(config.indexOf("\ncanary:"));
}

/** The front of the region and the one in another place are one here: there is no network. */
const FRONT = `
modules_disabled = { "s2s", "c2s" }
component_ports = { 5347 }
component_interfaces = { "127.0.0.1", "10.0.1.1" }
VirtualHost "localhost"
Component "eu.push.example"
  component_secret = "secret"
Include "conf.d/*.cfg.lua"
`;

async function aBrokenCheckout(): Promise<string> {
  const checkout = join(folder, "broken");
  await cp(CHECKOUT, checkout, {
    recursive: true,
    filter: (source) => !["node_modules", ".git", ".reveille"].includes(basename(source)),
  });
  await writeFile(
    join(checkout, "packages/cli/src/commands/worker.ts"),
    `export const runWorker = () => Promise.reject(new Error("broken"));\n`,
  );
  return checkout;
}

/** Runs a command there that must not fail. */
async function there(command: string, ...args: readonly string[]): Promise<string> {
  const { code, said } = await host.run(command, ...args);
  expect({ command, args, code, said }).toMatchObject({ code: 0 });
  return said.trim();
}

const property = (name: string, unit: string): Promise<string> =>
  there("systemctl", "show", "-P", name, unit);
const states = async (): Promise<readonly string[]> =>
  Promise.all(ROLES.map(async (unit) => property("ActiveState", unit)));
const allActive = ROLES.map(() => "active");

async function expectFenced(unit: string): Promise<void> {
  const status = await there("cat", `/proc/${await property("MainPID", unit)}/status`);
  expect(status).toMatch(/^Uid:\t(6\d{4})\t\1\t\1\t\1$/m);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
}

describe.skipIf(unable !== undefined)("on a host that systemd has booted", () => {
  it("all roles start with the machine, and get secrets that only root can read", async () => {
    await expect.poll(states, SOON).toEqual(allActive);
    await expect
      .poll(() => property("StatusText", "reveille-ingress"), SOON)
      .toContain("component: ECONNREFUSED");
    await expect.poll(() => property("StatusText", "reveille-sidecar"), SOON).toBe("ready");
  });

  it("each role is handed its own secrets and no other's", async () => {
    const handedTo = (unit: string): Promise<string> => there("ls", `/run/credentials/${unit}.service`);
    expect(await handedTo("reveille-ingress")).toBe("front_component.secret");
    expect(await handedTo("reveille-worker@1")).toBe("apns_AuthKey_ABC1234567.p8\nfcm_service-account.json");
  });

  it.each(ROLES)(
    "%s runs as a user of its own without any capability, behind a filter of system calls",
    expectFenced,
  );

  it("a reload has a role take over its configuration, and leaves it running", async () => {
    const pid = await property("MainPID", "reveille-ingress");
    await there("systemctl", "reload", "reveille-ingress");
    await expect.poll(() => journal("reveille-ingress"), SOON).toContain("configuration reloaded");
    expect(await property("MainPID", "reveille-ingress")).toBe(pid);
  });

  it("one more worker takes one command, and one less too", async () => {
    await there("systemctl", "enable", "--now", "reveille-worker@3");
    expect(await property("ActiveState", "reveille-worker@3")).toBe("active");
    await there("systemctl", "disable", "--now", "reveille-worker@3");
    expect(await property("ActiveState", "reveille-worker@3")).toBe("inactive");
    expect(await states()).toEqual(allActive);
  });

  it("a canary starts behind the same fence, publishes, tells by the sidecar what it sees, and stops", async () => {
    await there("ip", "address", "add", "10.0.1.1/32", "dev", "lo");
    await there("systemctl", "start", "prosody");
    await expect.poll(() => property("StatusText", "reveille-ingress"), SOON).not.toContain("component");
    await there("systemctl", "enable", "--now", "reveille-canary");
    await expectFenced("reveille-canary");
    await expect.poll(() => property("StatusText", "reveille-canary"), SOON).toBe("ready");
    await expect
      .poll(() => there(NODE, "--eval", PRINT_METRICS), SOON)
      .toMatch(/^reveille_canary_ok\{[^}]*hostname="eu\.push\.example"[^}]*\} 1$/m);
    await there("systemctl", "disable", "--now", "reveille-canary");
    expect(await property("Result", "reveille-canary")).toBe("success");
    expect(await journal("reveille-canary")).toContain("role stopped");
    await there("systemctl", "stop", "prosody");
  });

  it("a process that hangs is killed and started again", async () => {
    const pid = await property("MainPID", "reveille-worker@1");
    await there("kill", "-STOP", pid);
    await expect.poll(() => property("NRestarts", "reveille-worker@1"), SOON).toBe("1");
    await expect.poll(states, SOON).toEqual(allActive);
    expect(await property("MainPID", "reveille-worker@1")).not.toBe(pid);
    expect(await journal("reveille-worker@1")).toContain("Watchdog timeout");
  });

  it("a process that misses Redis is left alone, and systemd shows what it misses", async () => {
    const pid = await property("MainPID", "reveille-ingress");
    await there("systemctl", "stop", "redis-server");
    await expect
      .poll(() => property("StatusText", "reveille-ingress"), SOON)
      .toContain("redis: Redis is away");
    // Longer than the watchdog's patience.
    await there("sleep", "10");
    expect(await property("MainPID", "reveille-ingress")).toBe(pid);
    await there("systemctl", "start", "redis-server");
    await expect.poll(() => property("StatusText", "reveille-ingress"), SOON).not.toContain("Redis is away");
  });

  it("a release whose roles don't get ready is left again", async () => {
    const before = await there("readlink", "/opt/reveille/current");
    const { code, said } = await host.run("sh", "/opt/reveille/current/deploy/install.sh", "--rollback");
    expect(said).toContain("did not get ready");
    expect(said).toContain("as before");
    expect(code).toBe(1);
    expect(await there("readlink", "/opt/reveille/current")).toBe(before);
    await expect.poll(states, SOON).toEqual(allActive);
  });

  it("an upgrade restarts one role after the other, each when the one before is ready", async () => {
    const before = await there("readlink", "/opt/reveille/current");
    await there("cp", "-a", `/opt/reveille/${before}`, "/opt/reveille/releases/9.9.9-copy");
    await there("ln", "-sfn", "releases/9.9.9-copy", "/opt/reveille/previous");
    const pids = await Promise.all(ROLES.map((unit) => property("MainPID", unit)));
    const said = await there("sh", "/opt/reveille/current/deploy/install.sh", "--rollback");
    expect(said.split("\n").filter((line) => line.includes("restarting"))).toEqual([
      "install: restarting reveille-worker@1.service",
      "install: restarting reveille-worker@2.service",
      "install: restarting reveille-ingress.service",
      "install: restarting reveille-sidecar.service",
    ]);
    expect(await states()).toEqual(allActive);
    const renewed = await Promise.all(ROLES.map((unit) => property("MainPID", unit)));
    expect(renewed.filter((pid) => pids.includes(pid))).toEqual([]);
  });

  it("the target stops them in the order in which they drain: ingress, workers, sidecar", async () => {
    await there("journalctl", "--rotate");
    await there("systemctl", "stop", "reveille.target");
    await expect.poll(states, SOON).toEqual(ROLES.map(() => "inactive"));
    const stopped = [...(await journal("reveille-*")).matchAll(/Stopped reveille-([a-z]+)/g)].map(
      ([, role]) => role,
    );
    expect(stopped.slice(-4)).toEqual(["ingress", "worker", "worker", "sidecar"]);
    for (const unit of ROLES) expect(await property("Result", unit)).toBe("success");
  });

  it("uninstalling leaves no unit, and the secrets where they were", async () => {
    await there("systemctl", "start", "reveille.target");
    await there("sh", "/opt/reveille/current/deploy/install.sh", "--uninstall");
    // Ends with 1 when it has nothing to list.
    const files = await host.run("systemctl", "list-unit-files", "--no-legend", "reveille*");
    expect(files.said.trim()).toBe("");
    // systemd keeps units without a file in memory until nothing refers to them: "not-found inactive dead".
    const states = async (): Promise<readonly string[]> => {
      const listed = await there("systemctl", "list-units", "--all", "--plain", "--no-legend", "reveille*");
      return listed.split("\n").filter((line) => line !== "" && !/ not-found +inactive +dead/.test(line));
    };
    await expect.poll(states, SOON).toEqual([]);
    expect(await there("ls", "/etc/reveille/apns")).toBe("AuthKey_ABC1234567.p8");
  });
});

const journal = (unit: string): Promise<string> =>
  there("journalctl", "--no-pager", "--output=short-precise", "--unit", unit);
