import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { systemClock } from "@reveille/runtime";
import { ask, freePort, Program, until } from "@reveille/testkit";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { Haproxy } from "./haproxy.ts";
import { moveStreams, takeStreams } from "./move-streams.ts";

const OWN = "s1.example";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reveille-move-"));
});
afterEach(async () => rm(folder, { recursive: true }));

/** Says its name to whoever comes, then says again whatever it hears. */
async function aFront(name: string): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(name);
    socket.pipe(socket);
  });
  server.listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  return port;
}

/** A HAProxy as our templates have it, without checks: its own front, and the other hosts' fronts by name. */
async function aHaproxy(
  fronts: Readonly<Record<string, number>>,
): Promise<{ port: number; haproxy: Haproxy }> {
  const [port, socketPath, file] = [
    await freePort(),
    join(folder, "admin.sock"),
    join(folder, "haproxy.cfg"),
  ];
  const servers = Object.entries(fronts).map(([name, at]) => `  server ${name} 127.0.0.1:${at}`);
  await writeFile(
    file,
    `global
  stats socket ${socketPath} mode 600 level admin
defaults
  mode tcp
  balance first
  timeout connect 3s
  timeout client 1h
  timeout server 1h
frontend s2s
  bind 127.0.0.1:${port}
  default_backend s2s
backend s2s
${servers.join("\n")}
  server ${OWN}-even-if-sick 127.0.0.1:${fronts[OWN]} backup
`,
  );
  const program = await Program.start({
    name: "haproxy",
    command: "haproxy",
    args: ["-V", "-db", "-f", file],
    debianPackage: "haproxy",
    ready: async () => ask({ kind: "haproxy-info", at: { path: socketPath } }),
  });
  onTestFinished(() => program.kill());
  const haproxy = new Haproxy(socketPath, systemClock);
  const listens = async (): Promise<true | undefined> =>
    haproxy.servers().then(
      () => true,
      () => undefined,
    );
  await until(listens, { what: "HAProxy's command socket", withinMs: 15_000 });
  return { port, haproxy };
}

/** Everything a connection heard until it was closed. */
function heardBy(port: number, talk: (socket: Socket) => void = () => {}): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  talk(socket);
  return text(socket);
}

/** Which front a new connection gets. */
async function frontAt(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const name = Promise.withResolvers<string>();
  socket.once("data", (heard) => name.resolve(String(heard)));
  socket.once("error", name.reject);
  try {
    return await name.promise;
  } finally {
    socket.destroy();
  }
}

describe("streams that move", () => {
  it("are closed while they rest, and new ones get the other front until this one takes them again", async () => {
    const { port, haproxy } = await aHaproxy({
      [OWN]: await aFront("own"),
      "s2.example": await aFront("other"),
    });
    let said = "";
    const busy = heardBy(port, (socket) => {
      const timer = setInterval(() => {
        said += "x";
        socket.write("x");
      }, 250);
      socket.on("close", () => clearInterval(timer));
    });
    const silent = heardBy(port);
    expect(await frontAt(port)).toBe("own");
    expect(await moveStreams(haproxy, OWN, systemClock)).toEqual({ moved: 2, left: 0 });
    expect(await silent).toBe("own");
    // On a machine that stalls, the last one may have crossed the close; when a stream rests is tested with `Rests`.
    expect([`own${said}`, `own${said.slice(0, -1)}`]).toContain(await busy);
    expect(said.length).toBeGreaterThan(5);
    expect(await frontAt(port)).toBe("other");
    await takeStreams(haproxy, OWN);
    expect(await frontAt(port)).toBe("own");
  });

  it("stay where they are if there is no other front", async () => {
    const { port, haproxy } = await aHaproxy({ [OWN]: await aFront("own") });
    expect(await moveStreams(haproxy, OWN, systemClock)).toBeUndefined();
    expect(await frontAt(port)).toBe("own");
  });
});
