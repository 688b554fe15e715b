import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { domainRules, openRegionCounts, openRegionSecret } from "@reveille/admission";
import { aRegion, startRedis } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");
const EXAMPLE = join(import.meta.dirname, "../../../../deploy/config.example.yaml");

async function aHost() {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "reveille-domain-")));
  const config = join(folder.path, "reveille.yaml");
  const text = await readFile(EXAMPLE, "utf8");
  await writeFile(config, text.replace(/^ {2}url: .*$/m, `  url: "redis+unix://${redis.path}"`));
  const client = await redis.connect();
  const domain = async (...args: readonly string[]) =>
    new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>(
      (resolve) => {
        const child = execFile(
          process.execPath,
          [MAIN, "domain", ...args, "--config", config],
          (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
        );
        child.stdin?.end("yes\n");
      },
    );
  const rules = async () => domainRules({ redis: client, region: aRegion() }).list();
  return { client, domain, rules, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("reveille domain block", () => {
  it("says how many devices it hits at most, changes nothing without --yes, and blocks with it", async () => {
    await using host = await aHost();
    const region = aRegion();
    const secret = await openRegionSecret(host.client, region);
    const counts = new Map([
      ["queued", 5],
      ["later", 2],
      ["merged", 1],
      ["malformed", 9],
    ] as const);
    await openRegionCounts({ redis: host.client, region, secret }).add({
      number: 1,
      domains: [{ domain: "spam.example", counts }],
      begun: seconds(10),
      ended: seconds(1),
      isPartial: false,
    });
    const asked = await host.domain("block", "spam.example");
    expect(asked).toMatchObject({ code: 2, stdout: "" });
    expect(asked.stderr).toMatch(
      /^reveille: blocking spam\.example ends the registrations of all devices of this domain and of every domain below it: spam\.example itself has published for at most 8 since \S+.*nothing has changed\. There is no terminal to ask at: add --yes to do it\n$/,
    );
    const wild = await host.domain("block", "*.spam.example");
    expect(wild.stderr).toContain("of every domain below spam.example: how many is unknown, since");
    expect(await host.rules()).toEqual([]);
    expect(await host.domain("block", "spam.example", "--yes")).toMatchObject({
      code: 0,
      stdout: "spam.example is blocked\n",
    });
    expect((await host.domain("list")).stdout).toContain("spam.example is blocked");
  });
});
