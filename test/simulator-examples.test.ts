import { readFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const README = "packages/push-simulator/README.md";

/** Blocks of shell: a program that goes on running, and what is asked of it. */
const blocks = [
  ...readFileSync(join(root, README), "utf8").matchAll(/^```sh\nnode (.*)\n([\s\S]*?)^```$/gm),
].map(([, start = "", asked = ""]) => ({ start, asked: asked.trim().split("\n") }));

/** Starts it as the line says, on ports that are free, in an empty folder; gives its control port. */
async function started(line: string, folder: string) {
  const [script = "", ...args] = line.replaceAll(/(port) \d+/g, "$1 0").split(" ");
  const program = await Program.start({
    name: "simulator",
    command: process.execPath,
    args: [join(root, script), ...args],
    folder,
  });
  const { text } = await program.line((one) => one.includes('"controlPort"'), 10_000);
  return { program, controlPort: /"controlPort":(\d+)/.exec(text)?.[1] ?? "" };
}

/** What `curl` would do, without it. */
async function ask(line: string, controlPort: string): Promise<number> {
  const [, body, address = ""] = /^curl (?:-d '(.*)' )?'?localhost:\d+([^']*)'?$/.exec(line) ?? [];
  const url = `http://127.0.0.1:${controlPort}${address}`;
  const answer = await fetch(url, body === undefined ? {} : { method: "POST", body });
  return answer.status;
}

describe("the README of push-simulator", () => {
  it("has examples that start a simulator", () => {
    expect(blocks.length).toBe(2);
  });

  it.each(blocks)("shows what runs: $start", async ({ start, asked }) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-example-"));
    const { program, controlPort } = await started(start, folder.path);
    try {
      const statuses = await Promise.all(
        asked.map(async (line) => [line, await ask(line, controlPort)] as const),
      );
      expect(statuses.filter(([, status]) => status >= 300)).toEqual([]);
    } finally {
      await program.stop();
    }
  });
});
