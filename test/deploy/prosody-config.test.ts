import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { CHECK, complaintOf, writeFronts } from "./prosody-config.ts";

const run = promisify(execFile);

// Those of other releases: test/fresh/prosody.test.ts.
it("this machine's Prosody minds nothing in the configurations that we ship", async () => {
  const folder = await mkdtemp(join(tmpdir(), "reveille-fronts-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => rm(folder, { recursive: true }));
  for (const [name, file] of await writeFronts(folder)) {
    const { stdout } = await run("sh", ["-c", CHECK, file]);
    expect({ name, complaint: complaintOf(stdout) }).toEqual({ name, complaint: "" });
  }
});
