import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readdir, rename, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { epochMillis, millis, seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { askRoles, type ReportOptions, serveReport, systemClock } from "../index.ts";
import { numberOf } from "./serve-report.ts";

const aRole = (runtimeDir: string, parts: Partial<ReportOptions> = {}): ReportOptions => ({
  runtimeDir,
  role: "worker",
  version: "1.2.3",
  startedAt: epochMillis(1),
  parts: () => [{ part: "redis", health: { kind: "ready" } }],
  metrics: () => Promise.resolve([]),
  reload: () => Promise.resolve({ kind: "reloaded" }),
  pid: 42,
  ...parts,
});

async function get(socketPath: string, path: string): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode, body: JSON.parse(body) as unknown }),
        reject,
      );
    })
      .once("error", reject)
      .end();
  });
}

const aFolder = async () => mkdtempDisposable(join(tmpdir(), "reveille-run-"));

describe("a role's report", () => {
  it("tells its parts and metrics on a socket named by role and process", async () => {
    await using folder = await aFolder();
    await using server = await serveReport(aRole(folder.path));
    expect(server.path).toBe(join(folder.path, "worker-42.sock"));
    expect(await get(server.path, "/report")).toEqual({
      status: 200,
      body: {
        role: "worker",
        pid: 42,
        version: "1.2.3",
        startedAt: 1,
        parts: [{ part: "redis", health: { kind: "ready" } }],
        metrics: [],
      },
    });
    expect(await get(server.path, "/")).toMatchObject({ status: 404 });
  });

  it("leaves the metrics out when asked to", async () => {
    await using folder = await aFolder();
    const metrics = () => Promise.reject(new Error("not to be asked for"));
    await using server = await serveReport(aRole(folder.path, { metrics }));
    expect(await get(server.path, "/report?metrics=none")).toMatchObject({
      status: 200,
      body: { parts: [{ part: "redis" }], metrics: [] },
    });
  });

  it("has the role reload on POST /reload alone, and hands on what came of it", async () => {
    await using folder = await aFolder();
    const reload = vi.fn<() => Promise<object>>(() => Promise.resolve({ kind: "refused", because: "no" }));
    await using server = await serveReport(aRole(folder.path, { reload }));
    expect(await get(server.path, "/reload")).toMatchObject({ status: 404 });
    expect(reload).not.toHaveBeenCalled();
    const question = { method: "POST", path: "/reload", within: seconds(5) } as const;
    expect(await askRoles(folder.path, question, systemClock)).toEqual([
      {
        role: "worker",
        pid: 42,
        answer: { kind: "answered", status: 200, body: { kind: "refused", because: "no" } },
      },
    ]);
    expect(await askRoles(folder.path, { ...question, only: "ingress" }, systemClock)).toEqual([]);
  });

  it("is not waited for when it hangs or has gone", async () => {
    await using folder = await aFolder();
    await using hung = await aHungRole(join(folder.path, "worker-7.sock"));
    expect(hung.waiting).toHaveLength(4);
    await leaveSocket(join(folder.path, "worker-8.sock"));
    const question = { method: "GET", path: "/report", within: millis(200) } as const;
    expect(await askRoles(folder.path, question, systemClock)).toEqual([
      {
        role: "worker",
        pid: 7,
        answer: { kind: "silent", because: expect.stringMatching(/no answer|EAGAIN/) as unknown },
      },
      {
        role: "worker",
        pid: 8,
        answer: { kind: "silent", because: expect.stringContaining("ECONNREFUSED") as unknown },
      },
    ]);
    expect(await askRoles(join(folder.path, "nowhere"), question, systemClock)).toEqual([]);
  });

  it("makes the folder, closed to other users", async () => {
    await using folder = await aFolder();
    const runtimeDir = join(folder.path, "run", "reveille");
    await using server = await serveReport(aRole(runtimeDir));
    expect((await stat(runtimeDir)).mode & 0o777).toBe(0o750);
    expect((await stat(server.path)).mode & 0o777).toBe(0o660);
  });

  it("leaves no socket behind", async () => {
    await using folder = await aFolder();
    {
      await using server = await serveReport(aRole(folder.path));
      expect(await readdir(folder.path)).toEqual(["worker-42.sock"]);
      await get(server.path, "/report");
    }
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("takes the place of a killed process of the same id, and removes the sockets of others", async () => {
    await using folder = await aFolder();
    for (const name of ["worker-42.sock", "ingress-7.sock"]) await leaveSocket(join(folder.path, name));
    await using server = await serveReport(aRole(folder.path));
    expect(await readdir(folder.path)).toEqual(["worker-42.sock"]);
    expect(await get(server.path, "/report")).toMatchObject({ status: 200 });
  });

  it("leaves alone who lives, and files that are none of ours", async () => {
    await using folder = await aFolder();
    await writeFile(join(folder.path, "notes.txt"), "");
    await mkdir(join(folder.path, "worker-1.sock.d"));
    await using neighbour = await serveReport(aRole(folder.path, { role: "ingress", pid: 7 }));
    await using server = await serveReport(aRole(folder.path));
    expect(server.path).toContain("worker-42");
    expect((await readdir(folder.path)).toSorted()).toEqual([
      "ingress-7.sock",
      "notes.txt",
      "worker-1.sock.d",
      "worker-42.sock",
    ]);
    expect(await get(neighbour.path, "/report")).toMatchObject({ status: 200, body: { role: "ingress" } });
  });

  it("leaves alone who hangs, even with no place left in its queue of connections", async () => {
    await using folder = await aFolder();
    const path = join(folder.path, "worker-7.sock");
    await using hung = await aHungRole(path);
    expect(hung.waiting).toHaveLength(4);
    await using server = await serveReport(aRole(folder.path));
    expect(server.path).toContain("worker-42");
    expect(await readdir(folder.path)).toContain("worker-7.sock");
  });

  it("has a number of its own where every role is process 1", () => {
    expect(numberOf(4711)).toBe(4711);
    const ofContainers = [numberOf(1), numberOf(1), numberOf(1)];
    expect(new Set(ofContainers).size).toBe(3);
    expect(Math.min(...ofContainers)).toBeGreaterThan(2 ** 22);
  });

  it("says 500 when it cannot be made", async () => {
    await using folder = await aFolder();
    const metrics = () => Promise.reject(new Error("broken"));
    await using server = await serveReport(aRole(folder.path, { metrics }));
    expect(await get(server.path, "/report")).toMatchObject({ status: 500 });
  });
});

/** The socket of a process that was killed: it stays in the folder and nobody listens. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  // Closing would unlink the path, so it is moved away meanwhile.
  await rename(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  await rename(`${path}.kept`, path);
}

/** A process that has stopped in the middle of its work, with more connections waiting than it can queue. */
async function aHungRole(path: string) {
  const listens = `require("net").createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log("up"))`;
  const child = spawn(process.execPath, ["--eval", listens, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGSTOP");
  const waiting = Array.from({ length: 4 }, () => connect(path).on("error", () => undefined));
  return {
    waiting,
    [Symbol.asyncDispose]: async () => {
      for (const socket of waiting) socket.destroy();
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
