import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ask, freePort, Program } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

const REPOSITORY = join(import.meta.dirname, "../..");
const CLI = join(REPOSITORY, "packages/cli/src/main.ts");
const PLAN = join(REPOSITORY, "deploy/plan.example.yaml");

/** HAProxy as it is rendered for a host, but for ports, addresses and its user; the front is at `frontPort`. */
async function startHaproxy(frontPort: number) {
  const folder = await mkdtemp(join(tmpdir(), "reveille-haproxy-"));
  await promisify(execFile)(process.execPath, [CLI, "render", PLAN, "--out", folder]);
  const port = await freePort();
  const text = (await readFile(join(folder, "s1.eu.push.example/haproxy.cfg"), "utf8"))
    .replace(/^ *(?:user|group) haproxy\n/gm, "")
    .replace(/^ *bind :::.*\n/gm, "")
    .replaceAll("/run/haproxy/admin.sock", join(folder, "admin.sock"))
    .replace("bind :5269", `bind :${port}`)
    .replace("bind :5270", `bind :${await freePort()}`)
    .replaceAll(/10\.0\.0\.[12]:15269/g, `127.0.0.1:${frontPort}`);
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, text);
  const program = await Program.start({
    name: "haproxy",
    command: "haproxy",
    args: ["-db", "-f", file],
    debianPackage: "haproxy",
    ready: async () => ask({ kind: "haproxy-info", at: { path: join(folder, "admin.sock") } }),
  });
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await program.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Echoes what it is told, in place of a front. */
async function anEcho() {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, [Symbol.dispose]: () => void server.close() };
}

/** Whether a connection from `localAddress` comes through to the front. */
async function isServed(port: number, localAddress: string): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  socket.write("<?xml version='1.0'?>");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("data", () => resolve(true));
  socket.once("close", () => resolve(false));
  const served = await promise;
  socket.destroy();
  return served;
}

const isOpen = ({ destroyed }: Socket): boolean => !destroyed;

describe("HAProxy, as it is rendered", () => {
  it("serves another server while one address opens 4,050 connections and says nothing", async () => {
    using front = await anEcho();
    await using haproxy = await startHaproxy(front.port);
    expect(await isServed(haproxy.port, "127.0.0.3")).toBe(true);
    const crowd = Array.from({ length: 4_050 }, () => {
      const socket = connect({ port: haproxy.port, host: "127.0.0.1", localAddress: "127.0.0.2" });
      socket.on("error", () => undefined);
      socket.on("close", () => socket.destroy());
      return socket.resume();
    });
    expect(await isServed(haproxy.port, "127.0.0.3")).toBe(true);
    await expect.poll(() => crowd.filter(isOpen).length, { timeout: 20_000 }).toBeLessThanOrEqual(501);
    expect(await isServed(haproxy.port, "127.0.0.3")).toBe(true);
    // The address of the crowd itself is refused.
    expect(await isServed(haproxy.port, "127.0.0.2")).toBe(false);
    // Those that were let in have said nothing.
    await expect.poll(() => crowd.filter(isOpen).length, { timeout: 30_000 }).toBe(0);
    for (const socket of crowd) socket.destroy();
  });
});
