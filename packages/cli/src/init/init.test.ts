import { execFileSync, spawn } from "node:child_process";
import { mkdtempDisposable, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { parseConfig, parseModules, parsePlan } from "@reveille/runtime";
import { describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");

async function init(args: readonly string[], input = "") {
  const child = spawn(process.execPath, [MAIN, "init", ...args], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

const aFolder = async () => mkdtempDisposable(join(tmpdir(), "reveille-init-"));

const GIVEN = [
  "--yes",
  "--region",
  "eu",
  "--hostname",
  "eu.push.example",
  "--host",
  "s1.eu.push.example,192.0.2.1,2001:db8::1,10.0.0.1",
  "--host",
  "s2.eu.push.example,192.0.2.2,10.0.0.2",
  "--witness",
  "w.eu.push.example,10.0.0.3",
  "--module",
  "monalProdiOS,G7YU7X7KRJ.SworIM,production,ABC1234567,TEAM123456",
];

/** The same answers as lines, with one that has to be given twice. */
const LINES = [
  "EU",
  "eu",
  "eu.push.example",
  "",
  "",
  "",
  "192.0.2.1 2001:db8::1",
  "",
  "",
  "192.0.2.2",
  "",
  "",
  "",
  "monalProdiOS",
  "G7YU7X7KRJ.SworIM",
  "",
  "ABC1234567",
  "TEAM123456",
  "no",
  "",
];

describe("reveille init", () => {
  it("writes all files of a region, each of which its reader takes", async () => {
    await using folder = await aFolder();
    const { code, stdout } = await init(["--out", folder.path, ...GIVEN]);
    expect(code).toBe(0);
    const read = async (path: string): Promise<string> => readFile(join(folder.path, path), "utf8");
    expect(parsePlan(await read("plan.yaml"), "plan").hosts.map(({ addresses }) => addresses)).toEqual([
      ["192.0.2.1", "2001:db8::1"],
      ["192.0.2.2"],
    ]);
    expect([...parseModules(await read("modules.yaml"), "modules").modules.keys()]).toEqual(["monalProdiOS"]);
    for (const host of ["s1.eu.push.example", "s2.eu.push.example"]) {
      expect(parseConfig(await read(`${host}/reveille.yaml`), host).region).toBe("eu");
      const names = await readdir(join(folder.path, host));
      for (const name of ["prosody.cfg.lua", "haproxy.cfg", "redis.conf", "sentinel.conf", "systemd"]) {
        expect(names).toContain(name);
      }
      expect(await readdir(join(folder.path, host, "systemd"))).toContain("reveille-worker@.service");
    }
    expect(await read("eu.push.example.zone")).toContain("s1.eu.push.example");
    const rules = join(folder.path, "prometheus/rules/reveille.alerts.yml");
    expect(execFileSync("promtool", ["check", "rules", rules], { encoding: "utf8" })).toContain("SUCCESS");
    const scrapes = join(folder.path, "prometheus/reveille.yml");
    expect(execFileSync("promtool", ["check", "config", scrapes], { encoding: "utf8" })).toContain("SUCCESS");
    expect(await read("NEXT-STEPS.md")).toContain("/etc/reveille/apns/AuthKey_ABC1234567.p8");
    expect(stdout.trim().split("\n").length).toBeGreaterThan(20);
  });

  it("writes what a canary needs: its section on one host, and what the front in another place needs", async () => {
    await using folder = await aFolder();
    const canary = "s2.eu.push.example,xmpp://10.0.1.1:5347,canary.example";
    expect(await init(["--out", folder.path, ...GIVEN, "--canary", canary])).toMatchObject({ code: 0 });
    const read = async (path: string): Promise<string> => readFile(join(folder.path, path), "utf8");
    const of = async (host: string) => parseConfig(await read(`${host}/reveille.yaml`), host).canary;
    expect(await of("s1.eu.push.example")).toBeUndefined();
    expect(await of("s2.eu.push.example")).toMatchObject({
      component: {
        service: "xmpp://10.0.1.1:5347",
        domain: "canary.example",
        secretFile: "/etc/reveille/canary/component.secret",
      },
      hostnames: ["eu.push.example"],
    });
    expect(await readdir(join(folder.path, "s2.eu.push.example/systemd"))).toContain(
      "reveille-canary.service",
    );
    expect(await read("canary-front/prosody.cfg.lua")).toContain('Component "canary.example"');
    expect(await read("canary-front/ejabberd.yml")).toContain('ip: "10.0.1.1"');
    expect(await read("NEXT-STEPS.md")).toContain("On s2.eu.push.example: that secret into");
  });

  it("asks for what no option says, again where an answer is none, and comes to the same files", async () => {
    await using given = await aFolder();
    await using asked = await aFolder();
    await init(["--out", given.path, ...GIVEN]);
    const { code, stderr } = await init(["--out", asked.path], LINES.join("\n"));
    expect(stderr).toContain("must be 1 to 32 lower-case letters, digits and dashes");
    expect(stderr).toContain("Host 2: name [s2.eu.push.example]: ");
    expect(code).toBe(0);
    const compared = execFileSync(
      "diff",
      // Passwords of their own.
      ["--recursive", "--exclude=secrets", given.path, asked.path],
      { encoding: "utf8" },
    );
    const passwords = await Promise.all(
      [given, asked].map(async ({ path }) => readFile(join(path, "secrets/redis/password"), "utf8")),
    );
    expect(new Set(passwords).size).toBe(2);
    expect(compared).toBe("");
  });

  it("asks at a terminal", async () => {
    await using folder = await aFolder();
    const command = `${process.execPath} ${MAIN} init --out ${folder.path}`;
    const output = execFileSync("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      encoding: "utf8",
      input: `${LINES.join("\n")}\n`,
    });
    expect(output).toContain("Name of the region [eu]: ");
    expect(await readdir(folder.path)).toContain("plan.yaml");
  });

  it("overwrites nothing without being told to, and asks", async () => {
    await using folder = await aFolder();
    const plan = join(folder.path, "plan.yaml");
    await init(["--out", folder.path, ...GIVEN]);
    expect(await init(["--out", folder.path, ...GIVEN])).toMatchObject({ code: 0, stdout: "" });

    await writeFile(plan, "mine");
    const refused = await init(["--out", folder.path, ...GIVEN]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      "nothing was written, since these are there with another text: plan.yaml",
    );
    const asking = ["--out", folder.path, ...GIVEN.filter((word) => word !== "--yes"), "--front", "prosody"];
    const declined = await init(asking, "no\n");
    expect(declined.stderr).toContain("Overwrite them? yes or no [no]");
    expect(declined.code).toBe(1);
    expect(await readFile(plan, "utf8")).toBe("mine");
    expect(await init(asking, "yes\n")).toMatchObject({ code: 0, stdout: `${plan}\n` });
    expect(await readFile(plan, "utf8")).toContain("region: eu");
  });

  it.each([
    ["an option that is no answer", ["--region", "EU"], "--region EU: must be 1 to 32 lower-case letters"],
    [
      "a host without its addresses",
      ["--host", "s1.eu.push.example"],
      "--host s1.eu.push.example: must be a name",
    ],
    [
      "a canary without its domain",
      ["--canary", "s2.eu.push.example,xmpp://10.0.1.1:5347"],
      "--canary s2.eu.push.example,xmpp://10.0.1.1:5347: must be a host",
    ],
    [
      "a canary on a host that is none",
      ["--canary", "s9.eu.push.example,xmpp://10.0.1.1:5347,canary.example"],
      "canary.host: is no host of this plan",
    ],
    ["two hosts on one address", ["--host", "s3.eu.push.example,192.0.2.3,10.0.0.1"], "hosts"],
  ])("refuses %s, and writes nothing", async (_what, args, message) => {
    await using folder = await aFolder();
    const { code, stderr } = await init(["--out", folder.path, ...GIVEN, ...args]);
    // A plan that does not go together is no wrong command line.
    expect(code).toBe(message.startsWith("--") ? 2 : 1);
    expect(stderr).toContain(message);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it.each([
    ["a file that is a link", "plan.yaml", "plan"],
    ["a file that is a link to nothing", "plan.yaml", "nothing"],
    ["a folder that is a link", "s1.eu.push.example", "."],
  ])("writes nothing through %s, even when told to overwrite", async (_what, name, target) => {
    await using folder = await aFolder();
    await using elsewhere = await aFolder();
    const theirs = join(elsewhere.path, "plan");
    await writeFile(theirs, "theirs");
    const link = join(folder.path, name);
    await symlink(join(elsewhere.path, target), link);
    const { code, stdout, stderr } = await init(["--out", folder.path, ...GIVEN, "--overwrite"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`nothing was written, since these are links to other places: ${link};`);
    expect(await readdir(folder.path)).toEqual([name]);
    expect(await readdir(elsewhere.path)).toEqual(["plan"]);
    expect(await readFile(theirs, "utf8")).toBe("theirs");
  });

  it("writes into a folder that is itself a link, since that is what it was told", async () => {
    await using folder = await aFolder();
    await using parent = await aFolder();
    const link = join(parent.path, "region");
    await symlink(folder.path, link);
    expect(await init(["--out", link, ...GIVEN])).toMatchObject({ code: 0 });
    expect(await readdir(folder.path)).toContain("plan.yaml");
  });

  it("says which option is missing when it may not ask", async () => {
    await using folder = await aFolder();
    const { code, stderr } = await init(["--out", folder.path, "--yes", "--region", "eu"]);
    expect(code).toBe(2);
    expect(stderr).toContain("with --yes an option must answer: Hostname of the region");
  });
});
