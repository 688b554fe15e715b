import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { debianRoot, inDebianRoot, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const CHECKOUT = join(import.meta.dirname, "../..");
const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";
/** Debian 12 has Node 18: there people install one that is new enough, at least this one. */
const NODE_OF_PEOPLE = ["node@20.19.5", "npm@10.9.2"];

async function whyNot(): Promise<string | undefined> {
  const reason = await whyNoDebianRoot();
  if (reason !== undefined) return reason;
  return run("git", ["-C", CHECKOUT, "rev-parse", "HEAD"]).then(
    () => undefined,
    () => "a fresh clone needs a checkout with its history, and git",
  );
}

const unable = await whyNot();
if (unable !== undefined) process.stdout.write(`fresh: skipped, ${unable}\n`);

/**
 * What somebody new types, with the time that it may take without the downloads. Setting up is what `npm start` begins with.
 * $0: the clone.
 */
const FIRST_COMMAND = `
cd "$0"
sh deploy/local/setup.sh
exec timeout 90 npm start --silent -- --once --json`;

/** How this machine reaches package registries, and nothing else of its environment. */
const environment = (folder: string, path: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(?:https?_proxy|no_proxy|npm_config_registry)$/i.test(name),
    ),
  ),
  HOME: "/root",
  PATH: `${path}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  NODE_EXTRA_CA_CERTS: join(folder, "authorities.pem"),
});

describe.skipIf(unable !== undefined)("a fresh clone on a bare system", () => {
  it.each([
    { release: "Debian 12 with Node 20", suite: "bookworm", packages: [], node: NODE_OF_PEOPLE },
    { release: "Debian 13 with its own Node", suite: "trixie", packages: ["nodejs", "npm"], node: [] },
  ] as const)(
    "wakes a device by the first command of the README: $release",
    async ({ suite, packages, node }) => {
      const folder = await mkdtemp(join(tmpdir(), "reveille-fresh-"));
      await using cleanup = new AsyncDisposableStack();
      cleanup.defer(async () => rm(folder, { recursive: true }));
      const project = join(folder, "reveille");
      await run("git", ["clone", "--quiet", CHECKOUT, project]);
      await cp(AUTHORITIES, join(folder, "authorities.pem"), { dereference: true });
      if (node.length > 0) await run("npm", ["install", "--prefix", folder, ...node]);
      const { command, args } = inDebianRoot({
        root: await debianRoot({ suite, packages }),
        shared: [folder],
        command: "sh",
        args: ["-euc", FIRST_COMMAND, project],
      });
      const env = environment(folder, node.length > 0 ? `${folder}/node_modules/.bin:` : "");
      const { stdout } = await run(command, [...args], { env });
      expect(JSON.parse(stdout)).toMatchObject({ reply: { type: "result" }, apns: { status: 200 } });
      const logFolder = join(project, ".reveille/runs");
      const logs = globSync("*/log/{front,sender}.log", { cwd: logFolder });
      expect(logs).toHaveLength(2);
      for (const log of logs) {
        expect(await readFile(join(logFolder, log), "utf8")).not.toContain("Configuration warning");
      }
    },
  );
});
