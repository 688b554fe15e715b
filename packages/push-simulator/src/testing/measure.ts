import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { aToken, GOOD_HEADERS, PAYLOAD, request } from "./client.ts";

/*
 * CPU of the simulator per push, in a process of its own. Give the flags of the mode to measure:
 *   node packages/push-simulator/src/testing/measure.ts [--throughput]
 */
const PUSHES = 40_000;
const AT_ONCE = 200;
const MAIN = `${import.meta.dirname}/../main.ts`;
/** USER_HZ of Linux. */
const MICROS_PER_TICK = 10_000;

async function cpuMicros(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

async function push(session: ClientHttp2Session, count: number): Promise<void> {
  let sent = 0;
  const one = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      const path = `/3/device/${aToken(sent)}`;
      await request(session, { ":method": "POST", ":path": path, ...GOOD_HEADERS }, PAYLOAD);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

await using folder = await mkdtempDisposable(join(tmpdir(), "apns-"));
const caFile = join(folder.path, "ca.pem");
const args = [MAIN, "--ca-out", caFile, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
const line = await new Promise<string>((resolve) =>
  createInterface({ input: child.stdout }).once("line", resolve),
);
const url = /"url":"([^"]+)"/.exec(line)?.[1] ?? "";
const session = connect(url, { ca: await readFile(caFile) });
await push(session, 1);
await push(session, PUSHES / 4);
const before = await cpuMicros(child.pid ?? 0);
const startedAt = performance.now();
await push(session, PUSHES);
const seconds = (performance.now() - startedAt) / 1_000;
const micros = (await cpuMicros(child.pid ?? 0)) - before;
process.stdout.write(
  `${(micros / PUSHES).toFixed(1)} us CPU per push, ${Math.round(PUSHES / seconds)} pushes/s\n`,
);
session.destroy();
child.kill("SIGTERM");
await once(child, "exit");
