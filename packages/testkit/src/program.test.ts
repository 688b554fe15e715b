import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { freePort } from "./addresses.ts";
import { ask } from "./ask.ts";
import { isRunning } from "./processes.ts";
import { Program } from "./program.ts";

const starter = join(import.meta.dirname, "program.ts");

describe("a program of the machine", () => {
  it("is killed by the kernel when its parent dies without a word", async () => {
    const script = `
      const { Program } = await import(${JSON.stringify(starter)});
      const child = await Program.start({ name: "child", command: "sh", args: ["-c", "echo up; exec sleep 600"] });
      await child.line((line) => line === "up");
      console.log("pid", child.pid);`;
    await using parent = await Program.start({
      name: "parent",
      command: process.execPath,
      args: ["--input-type=module", "--eval", script],
    });
    const { text } = await parent.line((line) => line.startsWith("pid"));
    const pid = Number(text.slice(4));
    expect(await isRunning(pid)).toBe(true);
    await parent.kill();
    await expect.poll(async () => isRunning(pid)).toBe(false);
  });

  it("says how it ended and what it said last when an awaited line cannot come any more", async () => {
    await using program = await Program.start({
      name: "the front",
      command: "sh",
      args: ["-c", "echo no such file; exit 3"],
    });
    await expect(program.line((line) => line === "ready")).rejects.toThrow(
      /the front ended with exit code 3.*no such file/s,
    );
  });

  it("names the Debian package of a command that is missing", async () => {
    await using program = await Program.start({
      name: "the front",
      command: "no-such-command",
      debianPackage: "prosody",
    });
    await expect(program.line(() => false)).rejects.toThrow("is the Debian package prosody installed?");
  });

  it("is ready when it answers, not when it says so", async () => {
    const port = await freePort();
    const listen = `require("node:http").createServer((_, response) => response.end("up")).listen(${port}, "127.0.0.1")`;
    await using program = await Program.start({
      name: "boaster",
      command: process.execPath,
      args: ["--eval", `console.log("Ready to accept connections"); setTimeout(() => ${listen}, 300)`],
      ready: async () => ask({ kind: "http", at: { port }, url: "/" }),
    });
    expect(program.running).toBe(true);
    expect(await ask({ kind: "http", at: { port }, url: "/" })).toBe("up");
    await expect(ask({ kind: "redis-ping", at: { port } })).rejects.toThrow("PONG");
  });

  it("that ends before it is ready is told of with how it ended and what it said last", async () => {
    const port = await freePort();
    const start = Program.start({
      name: "the front",
      command: "sh",
      args: ["-c", "echo port is taken; exit 3"],
      ready: async () => ask({ kind: "connection", at: { port } }),
    });
    await expect(start).rejects.toThrow(/the front ended with exit code 3.*port is taken/s);
  });

  it("is killed when it does not end within the grace", async () => {
    await using program = await Program.start({
      name: "deaf",
      command: "sh",
      args: ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
    });
    await program.line((line) => line === "ready");
    await program.stop(50);
    expect(await program.ended).toBe("signal SIGKILL");
  });
});
