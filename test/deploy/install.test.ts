import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CHECKOUT = join(import.meta.dirname, "../..");
const SHIPPED = (
  /^SHIPPED="(.*)"$/m.exec(readFileSync(join(CHECKOUT, "deploy/install.sh"), "utf8"))?.[1] ?? ""
).split(" ");
/** Each step runs the installer, and two of them fetch the dependencies of a release: on a busy machine, minutes. */
const SLOW = { timeout: 240_000 };

let folder: string;
/** What a host has before: nothing. */
let host: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reveille-install-"));
  host = join(folder, "host");
  mkdirSync(host);
});
afterAll(() => rmSync(folder, { recursive: true }), SLOW.timeout);

/** A checkout of that version, as `git clone` makes it. */
function aCheckout(version: string): string {
  const checkout = join(folder, `checkout-${version}`);
  for (const name of SHIPPED) {
    cpSync(join(CHECKOUT, name), join(checkout, name), {
      recursive: true,
      filter: (source) => basename(source) !== "node_modules",
    });
  }
  const manifest = join(checkout, "package.json");
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8").replace(`"version": "0.1.0"`, `"version": "${version}"`),
  );
  return checkout;
}

interface Run {
  readonly code: number;
  readonly said: string;
}

function run(command: string, ...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(command, [...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

const install = (checkout: string, ...args: readonly string[]): Promise<Run> =>
  run("sh", join(checkout, "deploy/install.sh"), "--root", host, ...args);

const at = (...path: readonly string[]): string => join(host, ...path);
const releaseAt = (link: "current" | "previous"): string => basename(readlinkSync(at("opt/reveille", link)));

/** Every file of the host but those of dependencies, with what tells whether somebody has touched it. */
function state(): readonly string[] {
  return readdirSync(host, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.parentPath.includes("/node_modules"))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`;
      const { mtimeMs, mode } = statSync(path);
      return `${path} ${mode.toString(8)} ${mtimeMs}`;
    });
}

describe("deploy/install.sh, in the order of a host's life", SLOW, () => {
  it("changes nothing in a dry run, and says what it would do", async () => {
    const { code, said } = await install(CHECKOUT, "--dry-run");
    expect(code).toBe(0);
    expect(said).toContain("would: copy");
    expect(state()).toEqual([]);
  });

  it("installs a release that runs, units, the executable and folders for secrets", async () => {
    const first = await install(aCheckout("1.0.0"));
    expect(first.said).toContain("installed 1.0.0-");
    expect(first.code).toBe(0);
    expect(releaseAt("current")).toMatch(/^1\.0\.0-[0-9a-f]{8}$/);
    const current = at("opt/reveille/current");
    const node = join(current, "node_modules/.bin/node");
    expect(await run(node, join(current, "packages/cli/src/main.ts"), "--version")).toMatchObject({
      code: 0,
    });
    for (const file of readdirSync(join(CHECKOUT, "deploy/systemd"))) {
      expect(readdirSync(at("usr/local/lib/systemd/system"))).toContain(file);
    }
    expect(statSync(at("usr/local/bin/reveille")).mode & 0o777).toBe(0o755);
    expect(readdirSync(at("etc/reveille")).toSorted()).toEqual([
      "apns",
      "canary",
      "fcm",
      "front",
      "redis",
      "s2s",
      "sidecar",
    ]);
    expect(statSync(at("etc/reveille/apns")).mode & 0o777).toBe(0o711);
  });

  it("enables the units, and writes completions and manual page if the release prints them", async () => {
    const wanted = readdirSync(at("etc/systemd/system/reveille.target.wants")).toSorted();
    expect(wanted).toEqual([
      "reveille-ingress.service",
      "reveille-sidecar.service",
      "reveille-worker@1.service",
      "reveille-worker@2.service",
    ]);
    const current = at("opt/reveille/current");
    const man = await run(
      join(current, "node_modules/.bin/node"),
      join(current, "packages/cli/src/main.ts"),
      "man",
    );
    const written = globSync("usr/local/share/**/*reveille*", { cwd: host });
    expect(written).toHaveLength(man.code === 0 ? 4 : 0);
  });

  it("ships neither tests nor what only they need", () => {
    const files = readdirSync(at("opt/reveille/current/packages/cli"), { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))).toEqual([]);
    expect(readdirSync(at("opt/reveille/current/node_modules"))).not.toContain("vitest");
  });

  it("has nothing to do a second time", async () => {
    const before = state();
    const { code, said } = await install(join(folder, "checkout-1.0.0"));
    expect(said).toContain("installed already");
    expect(code).toBe(0);
    expect(state()).toEqual(before);
  });

  it("upgrades, and leaves configuration and secrets alone", async () => {
    const config = readFileSync(join(CHECKOUT, "deploy/config.example.yaml"), "utf8");
    writeFileSync(at("etc/reveille/reveille.yaml"), config);
    writeFileSync(at("etc/reveille/front/component.secret"), "secret", { mode: 0o600 });
    expect(await install(aCheckout("2.0.0"))).toMatchObject({ code: 0 });
    expect(releaseAt("current")).toMatch(/^2\.0\.0-/);
    expect(releaseAt("previous")).toMatch(/^1\.0\.0-/);
    expect(readFileSync(at("etc/reveille/reveille.yaml"), "utf8")).toBe(config);
    expect(statSync(at("etc/reveille/front/component.secret")).mode & 0o777).toBe(0o600);
  });

  it("goes back to the release before, and forth again", async () => {
    const before = state().filter((line) => line.includes("/current ->"));
    expect(await install(CHECKOUT, "--rollback", "--dry-run")).toMatchObject({ code: 0 });
    expect(state().filter((line) => line.includes("/current ->"))).toEqual(before);
    expect(await install(CHECKOUT, "--rollback")).toMatchObject({ code: 0 });
    expect([releaseAt("current"), releaseAt("previous")].map((name) => name.slice(0, 5))).toEqual([
      "1.0.0",
      "2.0.0",
    ]);
    expect(await install(CHECKOUT, "--rollback")).toMatchObject({ code: 0 });
    expect([releaseAt("current"), releaseAt("previous")].map((name) => name.slice(0, 5))).toEqual([
      "2.0.0",
      "1.0.0",
    ]);
  });

  it("does not switch to a release that refuses the configuration, and shows why", async () => {
    const file = at("etc/reveille/reveille.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^region: .*$/m, "region: EU"));
    const { code, said } = await install(CHECKOUT, "--rollback");
    expect(code).toBe(1);
    expect(said).toMatch(/reveille\.yaml:\d+:\d+ region: /);
    expect(said).toContain("the host stays as it was");
    expect(releaseAt("current")).toMatch(/^2\.0\.0-/);
  });

  it("removes everything but configuration and secrets, and with --purge those too", async () => {
    const before = state();
    expect(await install(CHECKOUT, "--uninstall", "--dry-run")).toMatchObject({ code: 0 });
    expect(state()).toEqual(before);
    expect(await install(CHECKOUT, "--uninstall")).toMatchObject({ code: 0 });
    expect(filesOf(host)).toEqual(["etc/reveille/front/component.secret", "etc/reveille/reveille.yaml"]);
    expect(await install(CHECKOUT, "--uninstall", "--purge")).toMatchObject({ code: 0 });
    expect(filesOf(host)).toEqual([]);
  });

  it.each([
    [["--rollback"], "there is no release before this one"],
    [["--purge"], "--purge goes with --uninstall"],
    [["--rolback"], "does not know --rolback; --help lists what it does"],
  ])("refuses %j with a reason", async (args, reason) => {
    const { code, said } = await install(CHECKOUT, ...args);
    expect({ code, said }).toEqual({ code: 1, said: `install: ${reason}\n` });
  });
});

const filesOf = (root: string): readonly string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
