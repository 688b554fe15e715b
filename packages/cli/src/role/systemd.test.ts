import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openNotifySocket, Program } from "@reveille/testkit";
import { expect, it } from "vitest";

const EXAMPLE = join(import.meta.dirname, "../../../../deploy/config.example.yaml");

const SOON = { timeout: 15_000 };

it("a role tells systemd when it works, that it goes on, and that it stops", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "reveille-systemd-"));
  const config = join(folder.path, "reveille.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  await writeFile(
    config,
    example
      .replace(/^runtimeDir: .*$/m, `runtimeDir: ${folder.path}/run`)
      .replace(/^ {2}listen: .*$/m, "  listen: 127.0.0.1:0"),
  );
  await using socket = await openNotifySocket();
  const sidecar = await Program.start({
    name: "sidecar",
    command: process.execPath,
    args: [join(import.meta.dirname, "../main.ts"), "sidecar", "--config", config],
    env: { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "300000" },
  });
  await expect.poll(socket.messages, SOON).toContain("READY=1\nSTATUS=ready");
  await expect.poll(socket.messages, SOON).toContain("WATCHDOG=1");
  await sidecar.stop();
  await expect.poll(socket.messages, SOON).toContain("STOPPING=1\nSTATUS=draining");
  expect(await sidecar.ended).toBe("exit code 0");
});
