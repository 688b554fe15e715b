import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ManualClock } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { expect, it, onTestFinished } from "vitest";

import { watchFiles } from "./watch-files.ts";

it("tells of a file that has changed within 10 s, also behind a link, and tries again while it cannot be used", async () => {
  const folder = await mkdtemp(join(tmpdir(), "reveille-watch-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const [file, link] = [join(folder, "a.pem"), join(folder, "link.pem")];
  await writeFile(file, "one");
  await symlink(file, link);
  const clock = new ManualClock();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let broken = false;
  const read: (string | undefined)[] = [];
  let calls = 0;
  void watchFiles({
    files: () => [link],
    clock,
    signal: stop.signal,
    onChanged: async () => {
      calls += 1;
      if (broken) throw new Error("half of it");
    },
    onRead: (because) => void read.push(because),
  });
  const look = async (): Promise<void> => {
    await expect.poll(() => clock.sleepers).toBe(1);
    await clock.advance(seconds(10));
    await expect.poll(() => clock.sleepers).toBe(1);
  };
  await look();
  expect(calls).toBe(0);
  broken = true;
  await writeFile(`${file}.new`, "another");
  await rename(`${file}.new`, file);
  await look();
  await look();
  expect([calls, read]).toEqual([2, ["half of it"]]);
  broken = false;
  await look();
  await look();
  expect([calls, read]).toEqual([3, ["half of it", undefined]]);
});
