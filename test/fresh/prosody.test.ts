import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { debianRoot, inDebianRoot, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { CHECK, complaintOf, writeFronts } from "../deploy/prosody-config.ts";

const run = promisify(execFile);
const unable = await whyNoDebianRoot();
if (unable !== undefined) process.stdout.write(`fresh: skipped, ${unable}\n`);

describe.skipIf(unable !== undefined)("the configurations of Prosody that we ship", () => {
  it.each([
    ["0.12", "bookworm"],
    ["13.0", "trixie"],
  ] as const)("are such that Prosody %s minds nothing in them", async (version, suite) => {
    const folder = await mkdtemp(join(tmpdir(), "reveille-fronts-"));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(async () => rm(folder, { recursive: true }));
    const root = await debianRoot({ suite, packages: ["prosody", "lua-unbound"] });
    const saidThere = async (script: string, file: string): Promise<string> => {
      const there = { root, shared: [folder], command: "sh", args: ["-c", script, file] };
      const { command, args } = inDebianRoot(there);
      return (await run(command, [...args])).stdout;
    };
    for (const [name, file] of await writeFronts(folder)) {
      const complaint = complaintOf(await saidThere(CHECK, file));
      expect({ name, complaint }).toEqual({ name, complaint: "" });
    }
    expect(await saidThere("prosodyctl about", "")).toMatch(new RegExp(`^Prosody ${version}`));
  });
});
