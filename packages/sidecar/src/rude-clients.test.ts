import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { describe, expect, it } from "vitest";

import { aHost } from "./testing/a-host.ts";

/** What comes back, until the sidecar closes the connection. */
async function heardFrom(port: number, said: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(said);
  return text(socket);
}

describe("a sidecar", () => {
  it("lets nobody keep a connection who does not finish his request", { timeout: 30_000 }, async () => {
    await using host = await aHost();
    const { address } = await host.start();
    const begun = performance.now();
    expect(await heardFrom(address.port, "GET / HTTP/1.1\r\nhost: s1\r\nx-slow: ")).toContain(" 408 ");
    expect(performance.now() - begun).toBeGreaterThan(1_000);
  });

  it.each([
    [512, "GET /live HTTP/1.1\r\nhost: s1\r\n\r\n"],
    [2_000, "GET /live HTTP/1.1\r\nhost: s1\r\n\r\n"],
    [2_000, ""],
  ])("answers checks beside %d idle clients that have said %j", { timeout: 60_000 }, async (count, said) => {
    await using host = await aHost();
    const { address } = await host.start();
    const crowd = Array.from({ length: count }, () => connect(address.port, "127.0.0.1"));
    for (const socket of crowd) {
      socket.on("error", () => undefined);
      if (said !== "") socket.write(said);
      socket.resume();
    }
    for (const path of ["/ready", "/metrics", "/live"]) {
      const request = `GET ${path} HTTP/1.0\r\n\r\n`;
      expect(await heardFrom(address.port, request)).toMatch(/^HTTP\/1\.1 (?:200|503) /);
    }
    await expect.poll(() => crowd.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(512);
    for (const socket of crowd) socket.destroy();
  });

  it.each([
    ["headers that are long", `GET / HTTP/1.1\r\nhost: s1\r\nx: ${"x".repeat(10_000)}\r\n\r\n`, " 431 "],
    [
      "a body for a page",
      "POST / HTTP/1.1\r\nhost: s1\r\ncontent-length: 9999\r\nconnection: close\r\n\r\n",
      " 404 ",
    ],
    ["a file", "GET /../../etc/passwd HTTP/1.1\r\nhost: s1\r\nconnection: close\r\n\r\n", " 404 "],
    ["another file", "GET /%2e%2e%2fetc/passwd HTTP/1.1\r\nhost: s1\r\nconnection: close\r\n\r\n", " 404 "],
    ["a path that is none", "GET /%zz HTTP/1.1\r\nhost: s1\r\nconnection: close\r\n\r\n", " 400 "],
    ["no HTTP", "nonsense\r\n\r\n", " 400 "],
  ])("refuses %s", async (_what, said, status) => {
    await using host = await aHost();
    const { address } = await host.start();
    expect((await heardFrom(address.port, said)).split("\r\n", 1)[0]).toContain(status);
  });

  it("answers HEAD as GET, without the body", async () => {
    await using host = await aHost();
    const { address } = await host.start();
    const answer = await heardFrom(
      address.port,
      "HEAD /status.json HTTP/1.1\r\nhost: s1\r\nconnection: close\r\n\r\n",
    );
    const [head = "", body] = answer.split("\r\n\r\n");
    expect(head).toContain(" 200 ");
    expect(head).toContain("cache-control: public, max-age=2");
    expect(body).toBe("");
  });
});
