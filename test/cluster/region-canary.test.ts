import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { type Region, startRegion } from "@reveille/demo";
import { freePort, type Program } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const FOLDER = join(import.meta.dirname, "../output/cluster/region-canary");
const execFileAsync = promisify(execFile);
const SOON = { timeout: 60_000 };

const token = randomBytes(32).toString("hex");
let region: Region;

beforeAll(async () => {
  region = await startRegion({ folder: FOLDER, window: "2s" });
  await writeFile(join(FOLDER, "device.token"), `${token}\n`, { mode: 0o600 });
});
afterAll(async () => region[Symbol.asyncDispose]());

/** The host's configuration, whose section `canary` has its place at the user's server: a publish takes s2s with TLS. */
async function hostConfig(): Promise<{ readonly canary: { readonly component: object } }> {
  const config: unknown = JSON.parse(await readFile(region.configFile, "utf8"));
  if (isWithCanary(config)) return config;
  throw new Error("the region's host has no canary");
}

const isWithCanary = (config: unknown): config is { canary: { component: object } } =>
  typeof config === "object" && config !== null && "canary" in config;

async function write(name: string, config: object): Promise<string> {
  const file = join(FOLDER, name);
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** On the region's host, with a device; `redis` in place of the region's. */
async function onTheHost(more: object = {}, redis: object = {}): Promise<string> {
  const host = await hostConfig();
  const tokenFile = join(FOLDER, "device.token");
  const canary = { ...host.canary, tokenFile, deliveryWithin: "20s", ...more };
  return write("host.yaml", { ...host, ...redis, canary });
}

/** On a machine that knows nothing of the region, without a device. */
async function elsewhere(more: object = {}, machine: object = {}): Promise<string> {
  const { canary } = await hostConfig();
  return write("elsewhere.yaml", {
    region: "elsewhere",
    host: "w.example",
    ...machine,
    canary: { ...canary, ...more },
  });
}

async function once(configFile: string, ...args: readonly string[]) {
  const command = [MAIN, "canary", "--once", "--config", configFile, ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(stdout + stderr).not.toContain(token);
  return { code, stdout, stderr };
}

const metrics = async (): Promise<string> => (await fetch(`${region.sidecarUrl}/metrics`)).text();

describe("reveille canary --once", () => {
  it("publishes by s2s from another server, and sees that Apple has accepted the push", async () => {
    const { code, stdout, stderr } = await once(await onTheHost(), "--json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      hostnames: [{ hostname: region.hostname, ok: true, reply: "accepted", delivery: "delivered" }],
    });
    expect(stdout).toMatch(/"replyMs":\d[\d.]*,"deliveryMs":\d/);
    expect(await region.apns.pushesTo(token)).toHaveLength(1);
  });

  it("has without a device an answer of the ingress, and wakes nobody", async () => {
    const before = await region.apns.pushesTo(token);
    const { code, stdout } = await once(await elsewhere());
    expect(stdout).toMatch(
      /^ok {4}eu\.push\.example: answered that the node is no device token, as it should, after \d+ ms\n$/,
    );
    expect(code).toBe(0);
    expect(await region.apns.pushesTo(token)).toEqual(before);
  });

  it("says which of several hostnames is not to be found", async () => {
    const hostnames = [region.hostname, "us.push.example"];
    const { code, stdout } = await once(await elsewhere({ hostnames }));
    expect(stdout).toMatch(
      /^ok .*\nFAIL {2}us\.push\.example: refused the publish: remote-server-not-found\n$/,
    );
    expect(code).toBe(1);
  });

  it("says that no worker sends, although the publish was accepted", async () => {
    for (const worker of region.workers) worker.signal("SIGSTOP");
    try {
      const { code, stdout } = await once(await onTheHost({ deliveryWithin: "2s" }));
      expect(stdout).toBe(
        "FAIL  eu.push.example: no delivery was seen: no worker has told of it within 2s\n",
      );
      expect(code).toBe(1);
    } finally {
      for (const worker of region.workers) worker.signal("SIGCONT");
    }
  });

  it("says that it cannot see a delivery without the region's Redis", async () => {
    const { code, stdout } = await once(await onTheHost({}, { redis: { url: "redis://127.0.0.1:1" } }));
    expect(stdout).toContain(
      "FAIL  eu.push.example: no delivery was seen: no Redis at redis://127.0.0.1:1 within 3 s",
    );
    expect(code).toBe(1);
  });

  it("says that its own front is away, which is no fault of the region", async () => {
    const { canary } = await hostConfig();
    const component = { ...canary.component, service: "xmpp://127.0.0.1:1" };
    const { code, stdout } = await once(await onTheHost({ component }));
    expect(stdout).toBe("FAIL  eu.push.example: the canary's own front failed: ECONNREFUSED\n");
    expect(code).toBe(1);
  });

  it("refuses a file that holds no device token, without showing what it holds", async () => {
    const tokenFile = join(FOLDER, "no.token");
    await writeFile(tokenFile, "hunter2\n", { mode: 0o600 });
    const { code, stderr } = await once(await onTheHost({ tokenFile }));
    expect(stderr).toContain(`${tokenFile}, the file that \`canary.tokenFile\` names, holds no device token`);
    expect(stderr).not.toContain("hunter2");
    expect(code).toBe(1);
  });
});

describe("a machine of no region", () => {
  it("shows what its canary sees through a sidecar that claims nothing of a host", async () => {
    const port = await freePort();
    const file = await elsewhere(
      {},
      {
        runtimeDir: join(FOLDER, "outside"),
        sidecar: { listen: `127.0.0.1:${port}` },
      },
    );
    await using canary = await region.startRole("canary", "canary-outside", file);
    await using sidecar = await region.startRole("sidecar", "sidecar-outside", file);
    const shown = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await expect.poll(shown, SOON).toContain('reveille_canary_ok{hostname="eu.push.example"} 1\n');
    const text = await shown();
    expect(text).toContain('reveille_canary_publishes_total{hostname="eu.push.example",reply="forget"} 1\n');
    // An alert would take it for a host that is not ready.
    expect(text).not.toMatch(/^reveille_host_ready /m);
    expect(canary.running).toBe(true);
    expect(sidecar.lines.filter((line) => line.text.includes("host is not ready"))).toEqual([]);
  });

  it("has a configuration that is checked like a host's", async () => {
    const check = async (file: string) =>
      execFileAsync(process.execPath, [MAIN, "check-config", file]).then(({ stdout }) => stdout);
    expect(await check(await elsewhere())).toContain("every: 10s");
    await expect(check(await elsewhere({ every: "1h" }))).rejects.toThrow("must be 10s to 10m");
  });
});

describe("reveille canary", () => {
  let canary: Program;

  it("tells the sidecar of its host what it sees, beside the other roles", async () => {
    const before = (await region.apns.pushesTo(token)).length;
    canary = await region.startRole("canary", "canary", await onTheHost());
    await expect.poll(metrics, SOON).toContain('reveille_canary_ok{hostname="eu.push.example"} 1\n');
    const text = await metrics();
    expect(text).not.toContain(token);
    expect(text).toContain('reveille_role_up{role="canary"} 1\n');
    expect(text).toContain(
      'reveille_canary_publishes_total{hostname="eu.push.example",reply="accepted"} 1\n',
    );
    expect(text).toContain(
      'reveille_canary_deliveries_total{hostname="eu.push.example",delivery="delivered"} 1\n',
    );
    expect((await region.apns.pushesTo(token)).length).toBe(before + 1);
    expect((await fetch(`${region.sidecarUrl}/live/canary`)).status).toBe(200);
    expect((await fetch(`${region.sidecarUrl}/ready`)).status).toBe(200);
  });

  it("tells that the region turns publishes away, and says the same on the spot", async () => {
    await region.ingress.stop();
    await expect.poll(metrics, SOON).toContain('reveille_canary_ok{hostname="eu.push.example"} 0\n');
    expect(await metrics()).toMatch(
      /reveille_canary_publishes_total\{hostname="eu\.push\.example",reply="later"\} [1-9]/,
    );
    const { code, stdout } = await once(await elsewhere());
    expect(stdout).toBe("FAIL  eu.push.example: answered to wait: remote-server-timeout\n");
    expect(code).toBe(1);
  });

  it("tells that the region is not to be reached", async () => {
    await region.front.stop();
    const { code, stdout } = await once(await elsewhere({ replyWithin: "20s" }));
    expect(stdout).toMatch(/^FAIL {2}eu\.push\.example: (?:no reply|refused|answered to wait)/);
    expect(code).toBe(1);
  });

  it("stops when it is asked to, and has logged no token", async () => {
    await canary.stop();
    expect(await canary.ended).toBe("exit code 0");
    const log = canary.lines.map((line) => line.text).join("\n");
    expect(log).toContain("canary was not answered as it should be");
    expect(log).toContain("role stopped");
    expect(log).not.toContain(token);
  });
});
