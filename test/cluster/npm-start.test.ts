import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { processesInheriting, Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** `npm start` in a process group of its own; everything it starts inherits the mark. */
async function npmStart(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly mark: string; readonly npm: Program }> {
  const mark = `REVEILLE_TEST_RUN=${randomUUID()}`;
  const npm = await Program.start({
    name: "npm start",
    command: "env",
    args: [mark, "npm", "start", "--silent", ...(args.length > 0 ? ["--", ...args] : [])],
    folder: ROOT,
    env: { ...process.env, ...env },
  });
  return { mark, npm };
}

async function aCommandThatFails(
  name: string,
  says: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "reveille-failing-"));
  await writeFile(join(path, name), `#!/bin/sh\necho "${says}"\nexit 3\n`, { mode: 0o755 });
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) };
}

const noProcessOf = async (mark: string): Promise<void> =>
  expect.poll(async () => processesInheriting(mark), { timeout: 40_000 }).toEqual([]);

describe("npm start", () => {
  it("does one push, tells of it in one JSON object, and leaves no process behind", async () => {
    const { mark, npm } = await npmStart(["--once", "--json"]);
    await using run = npm;
    expect(await run.ended).toBe("exit code 0");
    const objects = run.lines.filter(({ text }) => text.startsWith("{"));
    expect(objects).toHaveLength(1);
    expect(JSON.parse(objects[0]?.text ?? "")).toMatchObject({
      verdict: "now",
      // The test CA issues certificates for servers only, as public authorities do.
      senderProvenBy: "dialback",
      reply: { type: "result", from: "eu.push.example" },
      apns: { status: 200, payload: { aps: { "mutable-content": 1 } } },
    });
    await noProcessOf(mark);
  });

  // A terminal sends Ctrl-C to npm and everything below it; a supervisor kills npm alone.
  it.each([
    ["Ctrl-C", "SIGINT", "group"],
    ["SIGTERM", "SIGTERM", "npm"],
    ["SIGKILL", "SIGKILL", "npm"],
  ] as const)("leaves no process behind after %s", async (_name, signal, whom) => {
    const { mark, npm } = await npmStart([]);
    await using run = npm;
    await run.line((text) => text.startsWith("Enter:"), 60_000);
    expect((await processesInheriting(mark)).length).toBeGreaterThan(8);
    process.kill(whom === "group" ? -run.pid : run.pid, signal);
    await run.ended;
    await noProcessOf(mark);
  });

  it("says on standard error which part does not start, and why", async () => {
    await using folder = await aCommandThatFails("redis-server", "no memory today");
    const { mark, npm } = await npmStart(["--once", "--json"], {
      PATH: `${folder.path}:${process.env["PATH"] ?? ""}`,
    });
    await using run = npm;
    expect(await run.ended).toBe("exit code 1");
    const output = run.lines.map(({ text }) => text).join("\n");
    expect(output).toMatch(/npm start failed: redis ended with exit code 3.*redis\.log\s+no memory today/s);
    expect(output).not.toContain("{");
    await noProcessOf(mark);
  });

  it("ends with the reason when a part of the region dies", async () => {
    const { mark, npm } = await npmStart([]);
    await using run = npm;
    await run.line((text) => text.startsWith("Enter:"), 60_000);
    const dns = (await processesInheriting(mark)).find(({ command }) => command === "dnsmasq");
    process.kill(Number(dns?.pid), "SIGKILL");
    expect(await run.ended).toBe("exit code 1");
    expect(run.lines.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/dns ended with signal SIGKILL/),
    );
    await noProcessOf(mark);
  });
});
