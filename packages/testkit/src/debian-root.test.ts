import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { inDebianRoot, whyNoDebianRoot } from "./debian-root.ts";

const run = promisify(execFile);
const unable = await whyNoDebianRoot();

it.skipIf(unable !== undefined)(
  "a command in a root folder writes to shared folders, and to nothing else of the root or the machine",
  async () => {
    const shared = await mkdtemp(join(tmpdir(), "reveille-shared-"));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(async () => rm(shared, { recursive: true }));
    await writeFile(join(shared, "in"), "from outside");
    // The files of this machine are a root folder, too.
    const script = `cat ${shared}/in; echo inside >${shared}/out; echo lost >/etc/reveille-trial; cat /etc/reveille-trial`;
    const { command, args } = inDebianRoot({
      root: "/",
      shared: [shared],
      command: "sh",
      args: ["-c", script],
    });
    const { stdout } = await run(command, [...args]);
    expect(stdout).toBe("from outsidelost\n");
    expect(await readFile(join(shared, "out"), "utf8")).toBe("inside\n");
    await expect(readFile("/etc/reveille-trial")).rejects.toThrow("ENOENT");
  },
);
