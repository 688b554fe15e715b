import { execFile } from "node:child_process";
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseConfig } from "@reveille/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { HEAP_FLAGS } from "../load/heap-flags.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const SERVICES = [
  "reveille-front.service",
  "reveille-ingress.service",
  "reveille-worker@1.service",
  "reveille-sidecar.service",
  "reveille-canary.service",
];
const UNIT_FILES = readdirSync(join(DEPLOY, "systemd")).filter((name) => name.endsWith(".service"));

/** An image of a host as `deploy/install.sh` leaves it, as far as systemd-analyze looks. */
let image: string;

beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), "reveille-units-"));
  const units = join(image, "usr/local/lib/systemd/system");
  mkdirSync(units, { recursive: true });
  cpSync(join(DEPLOY, "systemd"), units, { recursive: true });
  const node = join(image, "opt/reveille/current/node_modules/.bin");
  mkdirSync(node, { recursive: true });
  // Merged, as Debian has them: systemd 257 looks for units below /usr only.
  for (const folder of ["bin", "lib"]) {
    mkdirSync(join(image, "usr", folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(image, folder));
  }
  for (const program of [join(node, "node"), join(image, "bin/sh")])
    writeFileSync(program, "", { mode: 0o755 });
  // What every host brings along.
  cpSync("/usr/lib/systemd/system", join(image, "usr/lib/systemd/system"), {
    recursive: true,
    verbatimSymlinks: true,
  });
});
afterAll(() => rmSync(image, { recursive: true }));

function analyze(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      "systemd-analyze",
      ["--no-pager", `--root=${image}`, ...args],
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });
}

describe("the units", () => {
  it.each([...SERVICES, "reveille.target"])("%s is what systemd understands", async (unit) => {
    const { code, said } = await analyze("verify", unit);
    // Units of other packages may have warnings of their own.
    expect(said.split("\n").filter((line) => line.includes("reveille"))).toEqual([]);
    expect(code).toBe(0);
  });

  it.each(SERVICES)("%s is exposed at most 3.0 of 10", async (unit) => {
    const { code, said } = await analyze("security", "--offline=true", "--threshold=30", unit);
    expect(said).toMatch(/Overall exposure level for reveille-.*: [0-3]\.\d/);
    expect(code).toBe(0);
  });

  it.each(UNIT_FILES)("%s gives a role longer to stop than its configuration lets it take", (file) => {
    const example = readFileSync(join(DEPLOY, "config.example.yaml"), "utf8");
    const { drainWithin } = parseConfig(example, "config.example.yaml");
    const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(readUnit(file)) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThanOrEqual(drainWithin + 5_000);
  });

  it("hand every folder of secrets that the example names over to a role", () => {
    const example = readFileSync(join(DEPLOY, "config.example.yaml"), "utf8");
    const folders = [...example.matchAll(/File: (\/etc\/reveille\/[a-z0-9]+)\/[^/\s,]+(?:,|$)/gm)].map(
      ([, name]) => name,
    );
    const handedOver = UNIT_FILES.flatMap((file) =>
      [...readUnit(file).matchAll(/^LoadCredential=([a-z0-9]+):(\/etc\/reveille\/\1)$/gm)].map(
        ([, , name]) => name,
      ),
    );
    expect(folders.length).toBeGreaterThan(4);
    expect(new Set(handedOver)).toEqual(new Set(folders));
  });

  it("run workers with the flags that they were measured with, as containers do", () => {
    const files = [
      "systemd/reveille-worker@.service",
      "container/compose.yaml",
      "container/compose.trial.yaml",
    ];
    for (const file of [...files, "kubernetes/base/workers.yaml"]) {
      const flags =
        readFileSync(join(DEPLOY, file), "utf8").match(/--[a-z-]*(?:space|heap)[a-z-]*=\d+/g) ?? [];
      expect([...new Set(flags)]).toEqual(HEAP_FLAGS);
    }
  });

  it("differ in nothing but what they run, when, and with which secrets", () => {
    const common = UNIT_FILES.map((file) => readUnit(file).slice(readUnit(file).indexOf("Type=notify")));
    expect(common).toHaveLength(SERVICES.length);
    expect(new Set(common).size).toBe(1);
  });
});

describe("the shell scripts", () => {
  const scripts = [...globSync("**/*.sh", { cwd: DEPLOY }), "local/node", "../packages/cli/reveille"];

  it.each(scripts)("%s has nothing that shellcheck minds", async (script) => {
    const said = await new Promise<string>((resolve) => {
      execFile("shellcheck", ["--shell=sh", join(DEPLOY, script)], (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    expect(said).toBe("");
  });
});

const readUnit = (file: string): string => readFileSync(join(DEPLOY, "systemd", file), "utf8");
