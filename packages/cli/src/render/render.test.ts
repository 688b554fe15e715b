import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { parseConfig, parseModules, parsePlan } from "@reveille/runtime";
import { ask, freePort, Program } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { filesOf } from "./files-of.ts";
import { writeSecrets } from "./region-secrets.ts";

const DEPLOY = new URL("../../../../deploy/", import.meta.url);
const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../main.ts");
/** Debian leaves the sbin folders out of the PATH of ordinary users. */
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-render-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const examplePlan = async () =>
  parsePlan(await readFile(new URL("plan.example.yaml", DEPLOY), "utf8"), "plan");

/** The files of the example's plan, by path, with some of its text replaced. */
async function rendered(
  change: (plan: string) => string = (plan) => plan,
): Promise<ReadonlyMap<string, string>> {
  const plan = parsePlan(change(await readFile(new URL("plan.example.yaml", DEPLOY), "utf8")), "plan");
  const modules = parseModules(await readFile(new URL("modules.example.yaml", DEPLOY), "utf8"), "modules");
  return new Map((await filesOf(plan, modules)).map(({ path, text }) => [path, text]));
}

async function written(files: ReadonlyMap<string, string>, path: string): Promise<string> {
  const file = join(folder, path.replaceAll("/", "-"));
  await writeFile(file, files.get(path) ?? "");
  return file;
}

const alone = (plan: string): string =>
  plan
    .replace(/ {2}- name: s2[^]*?inside: 10\.0\.0\.2\n/, "")
    .replace(/witness:\n.*\n.*\n/, "")
    .replace("  host: s2.", "  host: s1.");

describe("the files rendered from a plan", () => {
  it("are those of both hosts and the witness, and the zone", async () => {
    const host = ["haproxy.cfg", "prosody.cfg.lua", "redis.conf", "reveille.yaml", "sentinel.conf"];
    expect([...(await rendered()).keys()].toSorted()).toEqual([
      "canary-front/ejabberd.yml",
      "canary-front/prosody.cfg.lua",
      "eu.push.example.zone",
      ...host.map((file) => `s1.eu.push.example/${file}`),
      ...host.map((file) => `s2.eu.push.example/${file}`),
      "w.eu.push.example/sentinel.conf",
    ]);
  });

  it("come from templates that are all in use", async () => {
    const templates = await readdir(new URL("templates/host", DEPLOY));
    const [one, other] = [
      await rendered(),
      await rendered((plan) => plan.replace("prosody\n", "ejabberd\n")),
    ];
    const used = [...one.keys(), ...other.keys()].map((path) => path.split("/").at(-1));
    // Sections are parts of reveille.yaml.
    const files = templates.filter((name) => !name.includes("-section."));
    expect(files.filter((name) => !used.includes(name.replace(".mustache", "")))).toEqual([]);
  });

  it.each(["prosody", "ejabberd"])("have no placeholder left and no secret in them (%s)", async (front) => {
    const files = await rendered((plan) => plan.replace("front: prosody", `front: ${front}`));
    const all = [...files.values()].join("\n");
    expect(all).not.toMatch(/\{\{|\}\}|undefined|\[object/);
    expect(all).not.toMatch(/^\s*(?:requirepass|masterauth|sentinel (?:auth|sentinel)-pass)\b/m);
    expect(all).not.toContain("protected-mode");
    const secrets = [...all.matchAll(/^ *(?:password|component_secret) ?[:=] (.+)$/gm)].map(
      ([, value]) => value,
    );
    expect([...new Set(secrets)]).toEqual([
      front === "prosody" ? 'first_line("/etc/reveille/front/component.secret")' : "COMPONENT_SECRET",
      '"CANARY_SECRET"',
      "CANARY_SECRET",
    ]);
  });

  it.each(["s1.eu.push.example", "s2.eu.push.example"])("give %s a valid configuration", async (host) => {
    for (const files of [await rendered(), await rendered(alone)]) {
      const text = files.get(`${host}/reveille.yaml`);
      if (text === undefined) continue;
      const { ingress, redis } = parseConfig(text, "reveille.yaml");
      expect(ingress.components[0]?.service).toBe("xmpp://127.0.0.1:5347");
      expect("sentinels" in redis).toBe(files.has("w.eu.push.example/sentinel.conf"));
    }
  });

  it.each([
    ["two hosts", (plan: string) => plan],
    ["one host", alone],
  ])("need neither Prosody nor HAProxy where the front is ours, for %s", async (_what, change) => {
    const files = await rendered((plan) => change(plan.replace("front: prosody", "front: reveille")));
    const ofHost = [...files.keys()].filter((path) => path.startsWith("s1."));
    expect(ofHost.filter((path) => /haproxy|prosody|ejabberd/.test(path))).toEqual([]);
    expect(ofHost).toContain("s1.eu.push.example/redis.conf");
    const { front, ingress, sidecar } = parseConfig(files.get("s1.eu.push.example/reveille.yaml") ?? "", "");
    expect(Object.keys(front?.hostnames ?? {})).toEqual(["eu.push.example", "us.push.example"]);
    expect(ingress.components.map(({ service, domain }) => `${service} ${domain}`)).toEqual([
      "xmpp://127.0.0.1:5347 eu.push.example",
      "xmpp://127.0.0.1:5347 us.push.example",
    ]);
    expect(front?.component.listen).toEqual({ host: "127.0.0.1", port: 5347 });
    expect(front?.hosts?.others).toEqual(
      files.has("s2.eu.push.example/reveille.yaml") ? [{ host: "10.0.0.2", port: 9464 }] : undefined,
    );
    expect(sidecar?.fronts).toEqual([{ host: "127.0.0.1", port: 5270 }]);
  });

  it("let an ingress stand by at the other Prosody, and leave the other ejabberd alone", async () => {
    const services = async (front: string): Promise<readonly string[]> => {
      const files = await rendered((plan) => plan.replace("front: prosody", `front: ${front}`));
      const { ingress } = parseConfig(files.get("s1.eu.push.example/reveille.yaml") ?? "", "");
      return ingress.components.map(({ service, domain }) => `${service} ${domain}`);
    };
    expect(await services("prosody")).toEqual([
      "xmpp://127.0.0.1:5347 eu.push.example",
      "xmpp://127.0.0.1:5347 us.push.example",
      "xmpp://10.0.0.2:5347 eu.push.example",
      "xmpp://10.0.0.2:5347 us.push.example",
    ]);
    expect(await services("ejabberd")).toEqual([
      "xmpp://127.0.0.1:5347 eu.push.example",
      "xmpp://127.0.0.1:5348 us.push.example",
    ]);
  });

  it.each(["s1.eu.push.example", "canary-front"])("are Lua that Prosody can read (%s)", async (folder) => {
    const file = await written(await rendered(), `${folder}/prosody.cfg.lua`);
    const { stderr } = await run("luac5.4", ["-p", file]);
    expect(stderr).toBe("");
  });

  it.each([
    ["two hosts", (plan: string) => plan],
    ["one host", alone],
  ])("are accepted by HAProxy (%s)", async (_what, change) => {
    const file = await written(await rendered(change), "s1.eu.push.example/haproxy.cfg");
    const { stderr } = await run("haproxy", ["-c", "-q", "-f", file], { env });
    expect(stderr).toBe("");
  });

  it.each([
    ["redis.conf", []],
    ["sentinel.conf", ["--sentinel"]],
  ])("are what a Redis starts with (%s)", async (name, args) => {
    const original = await written(await rendered(), `s2.eu.push.example/${name}`);
    const [file, port] = [`${original}-copy`, await freePort()];
    await writeSecrets(folder, await examplePlan());
    const text = await readFile(original, "utf8");
    await writeFile(file, text.replace("include /etc/redis/", `include ${folder}/secrets/`));
    // Its addresses are those of other machines.
    const here = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder];
    await using program = await Program.start({
      name,
      command: "redis-server",
      args: [file, ...args, ...here],
      debianPackage: "redis-server",
      ready: async () => ask({ kind: "redis-ping", at: { port } }),
    });
    expect(program.running).toBe(true);
  });

  it("lead users' servers to the first host, then the second one, then another region", async () => {
    const zone = (await rendered()).get("eu.push.example.zone") ?? "";
    const records = zone.split("\n").filter((line) => !/^;|^\$|^$/.test(line));
    expect(records).toEqual([
      "_xmpp-server._tcp.eu.push.example. IN SRV 10 0 5269 s1.eu.push.example.",
      "_xmpps-server._tcp.eu.push.example. IN SRV 110 0 5270 s1.eu.push.example.",
      "_xmpp-server._tcp.eu.push.example. IN SRV 20 0 5269 s2.eu.push.example.",
      "_xmpps-server._tcp.eu.push.example. IN SRV 120 0 5270 s2.eu.push.example.",
      "_xmpp-server._tcp.eu.push.example. IN SRV 30 0 5269 s1.us.push.example.",
      "_xmpps-server._tcp.eu.push.example. IN SRV 130 0 5270 s1.us.push.example.",
      "s1.eu.push.example. IN A 192.0.2.1",
      "s1.eu.push.example. IN AAAA 2001:db8::1",
      "s2.eu.push.example. IN A 192.0.2.2",
      "s2.eu.push.example. IN AAAA 2001:db8::2",
    ]);
  });
});

describe("reveille render", () => {
  const render = async (out: string) =>
    run(process.execPath, [
      MAIN,
      "render",
      fileURLToPath(new URL("plan.example.yaml", DEPLOY)),
      "--out",
      out,
    ]);

  it("says what it writes, and replaces what it wrote before", async () => {
    const out = join(folder, "out");
    const files = [...(await rendered()).keys()].map((path) => join(out, path));
    const first = await render(out);
    const secrets = ["redis-auth.conf", "redis/password", "redis/sentinel-password", "sentinel-auth.conf"];
    const made = secrets.map((path) => join(out, "secrets", path));
    expect(first.stdout.trim().split("\n").toSorted()).toEqual([...files, ...made].toSorted());
    const password = await readFile(join(out, "secrets/redis/password"), "utf8");
    expect((await render(out)).stdout.trim().split("\n").toSorted()).toEqual(files.toSorted());
    expect(await readFile(join(out, "secrets/redis/password"), "utf8")).toBe(password);
  });

  it("writes nothing through a link", async () => {
    const out = join(folder, "linked");
    const [theirs, link] = [join(folder, "theirs"), join(out, "s1.eu.push.example", "redis.conf")];
    await mkdir(join(out, "s1.eu.push.example"), { recursive: true });
    await writeFile(theirs, "theirs");
    await symlink(theirs, link);
    await expect(render(out)).rejects.toThrow(`links to other places: ${link};`);
    expect(await readFile(theirs, "utf8")).toBe("theirs");
    expect(await readdir(out)).toEqual(["s1.eu.push.example"]);
  });
});
