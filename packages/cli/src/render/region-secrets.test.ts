import { execFile, spawn } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  mkdtempDisposable,
  readFile,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

import { parseModules, parsePlan } from "@reveille/runtime";
import { ask, freePort, Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { filesOf } from "./files-of.ts";
import { writeSecrets } from "./region-secrets.ts";

const run = promisify(execFile);
const DEPLOY = new URL("../../../../deploy/", import.meta.url);
const MAIN = join(import.meta.dirname, "../main.ts");
const CHECKOUT = join(import.meta.dirname, "../../../..");
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const aFolder = async () => mkdtempDisposable(join(tmpdir(), "reveille-secrets-"));

async function aPlan(change: (text: string) => string = (text) => text) {
  return parsePlan(change(await readFile(new URL("plan.example.yaml", DEPLOY), "utf8")), "plan");
}

const alone = (plan: string): string =>
  plan
    .replace(/ {2}- name: s2[^]*?inside: 10\.0\.0\.2\n/, "")
    .replace(/witness:\n.*\n.*\n/, "")
    .replace("  host: s2.", "  host: s1.");

describe("the secrets of a region", () => {
  it("are files for their owner alone, made once", async () => {
    await using folder = await aFolder();
    const plan = await aPlan();
    const written = await writeSecrets(folder.path, plan);
    expect(written).toHaveLength(4);
    const modes = await Promise.all(
      written.map(async (path) => (await stat(join(folder.path, path))).mode & 0o777),
    );
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o600]);
    expect((await stat(join(folder.path, "secrets"))).mode & 0o777).toBe(0o700);
    expect(await writeSecrets(folder.path, plan)).toEqual([]);
    const password = await readFile(join(folder.path, "secrets/redis/password"), "utf8");
    expect(password.trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(join(folder.path, "secrets/sentinel-auth.conf"), "utf8")).toContain(
      `sentinel auth-pass reveille-eu ${password}`,
    );
  });

  it("of a single host have nothing for Sentinels, who get theirs with the second host", async () => {
    await using folder = await aFolder();
    expect(await writeSecrets(folder.path, await aPlan(alone))).toEqual([
      "secrets/redis/password",
      "secrets/redis-auth.conf",
    ]);
    expect(await writeSecrets(folder.path, await aPlan())).toEqual([
      "secrets/redis/sentinel-password",
      "secrets/sentinel-auth.conf",
    ]);
  });

  it("are refused when a password is too weak, or a link", async () => {
    await using folder = await aFolder();
    await mkdir(join(folder.path, "secrets/redis"), { recursive: true });
    await writeFile(join(folder.path, "secrets/redis/password"), "sesame");
    await expect(writeSecrets(folder.path, await aPlan())).rejects.toThrow("holds no password or secret");
    await using other = await aFolder();
    await symlink(folder.path, join(other.path, "secrets"));
    await expect(writeSecrets(other.path, await aPlan())).rejects.toThrow("links to other places");
  });
});

/** A single host as rendered, its files where they belong but below a folder of its own. */
async function aRenderedHost(folder: string) {
  const plan = await aPlan(alone);
  const modules = parseModules(await readFile(new URL("modules.example.yaml", DEPLOY), "utf8"), "modules");
  const files = new Map((await filesOf(plan, modules)).map(({ path, text }) => [path, text]));
  await writeSecrets(folder, plan);
  const port = await freePort();
  const redisConf = join(folder, "redis.conf");
  const config = join(folder, "reveille.yaml");
  const of = (file: string): string => files.get(`s1.eu.push.example/${file}`) ?? "";
  await writeFile(redisConf, of("redis.conf").replace("include /etc/redis/", `include ${folder}/secrets/`));
  await writeFile(
    config,
    of("reveille.yaml")
      .replace("127.0.0.1:6379", `127.0.0.1:${port}`)
      .replace("/etc/reveille/redis/", `${folder}/secrets/redis/`),
  );
  const program = await Program.start({
    name: "redis",
    command: "redis-server",
    args: [redisConf, "--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder],
    debianPackage: "redis-server",
    ready: async () => ask({ kind: "redis-ping", at: { port } }),
  });
  // Everybody may look at what is no secret.
  await chmod(folder, 0o755);
  await chmod(config, 0o644);
  return { port, config, [Symbol.asyncDispose]: async () => program.kill() };
}

/** $0: the checkout, $1: where everybody can read it, which a clone below /root is not, $2: user, and a command. */
const AS = `mount --bind "$0" "$1"; cd /; user=$2; shift 2
exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"`;

async function as(uid: number, folder: string, args: readonly string[]) {
  const place = await mkdtemp(join(folder, "checkout-"));
  await chmod(place, 0o755);
  const [node, main] = [process.execPath, MAIN].map((path) => path.replace(CHECKOUT, place));
  const command = [`${uid}`, `${node}`, `${main}`, ...args];
  const child = spawn("unshare", ["--mount", "sh", "-euc", AS, CHECKOUT, place, ...command], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, said: stdout + stderr };
}

describe.skipIf(!isRoot)("a user of the machine without rights", () => {
  // Ten programs one after the other.
  it(
    "can neither discard the queue, nor block a domain, nor read the region's secret; root can",
    { timeout: 240_000 },
    async () => {
      await using folder = await aFolder();
      await using host = await aRenderedHost(folder.path);
      const commands = [
        ["queue", "discard", "--yes"],
        ["domain", "block", "*.example", "--yes"],
        ["queue", "status"],
      ];
      for (const command of commands) {
        const { code, said } = await as(NOBODY, folder.path, [...command, "--config", host.config]);
        expect({ command, code, said }).toMatchObject({ code: 1 });
        expect(said).toContain(
          "secrets/redis/password, the file that `redis.passwordFile` names: this user may not read it",
        );
      }
      const cli = ["-p", `${host.port}`];
      for (const question of [
        ["GET", "{eu}secret"],
        ["KEYS", "*"],
        ["CONFIG", "GET", "requirepass"],
      ]) {
        const { stdout } = await run("redis-cli", [...cli, ...question], {
          uid: NOBODY,
          gid: NOBODY,
          cwd: "/",
        });
        expect(stdout).toContain("NOAUTH");
      }
      for (const command of commands)
        expect(await as(0, folder.path, [...command, "--config", host.config])).toMatchObject({ code: 0 });
    },
  );
});
