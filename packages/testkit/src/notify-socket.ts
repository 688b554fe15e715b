import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Program } from "./program.ts";

/** Where a service sends what systemd shall know (sd_notify(3)); disposing closes it. */
export interface NotifySocket extends AsyncDisposable {
  /** For `NOTIFY_SOCKET`. */
  readonly path: string;
  /** What came, oldest first. */
  readonly messages: () => readonly string[];
}

/** Prints each datagram as JSON. Reading by read(2) also closes the descriptors that systemd-notify sends as barriers. */
const READER = `
const { readSync } = require("node:fs");
const buffer = Buffer.alloc(65536);
for (;;) console.log(JSON.stringify(buffer.toString("utf8", 0, readSync(3, buffer))));`;

/** Node cannot listen on a Unix datagram socket, but it can read one that systemd's own program opened for it. */
export async function openNotifySocket(): Promise<NotifySocket> {
  const folder = await mkdtemp(join(tmpdir(), "reveille-notify-"));
  const path = join(folder, "notify.sock");
  const listener = await Program.start({
    name: "notify socket",
    command: "systemd-socket-activate",
    args: ["--datagram", "--listen", path, process.execPath, "--eval", READER],
    debianPackage: "systemd",
    ready: async () => access(path),
  });
  return {
    path,
    messages: () =>
      listener.lines
        .filter(({ text }) => text.startsWith('"'))
        .map(({ text }) => String(JSON.parse(text)))
        .filter((message) => message !== "BARRIER=1"),
    [Symbol.asyncDispose]: async () => {
      await listener.kill();
      await rm(folder, { recursive: true });
    },
  };
}
