import { once } from "node:events";
import { connect } from "node:http2";

import { describe, expect, it } from "vitest";

import { startThroughputServer } from "../index.ts";
import { PAYLOAD, request } from "../testing/client.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { aRequest, connectRaw, frame } from "../testing/raw-client.ts";

const OPAQUE = Buffer.from("8 bytes.");
const push = { ":method": "POST", ":path": "/3/device/ab" };

describe("the throughput server", () => {
  it("answers 200 to everything and counts", async () => {
    await using server = await startThroughputServer({ streamLimit: 50 });
    const session = connect(server.url, { ca: server.ca });
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(50);
    const seen = await Promise.all(Array.from({ length: 500 }, async () => request(session, push, PAYLOAD)));
    expect(seen.filter(({ status, rstCode }) => status === 200 && rstCode === 0)).toHaveLength(500);
    expect(seen[0]?.headers["apns-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.stats()).toMatchObject({ pushes: 500, answers: { "200": 500 }, connectionsOpened: 1 });
    session.destroy();
  });

  it("answers pings, and bodies of every size up to the stream's window", async () => {
    await using server = await startThroughputServer();
    const session = connect(server.url, { ca: server.ca });
    await once(session, "remoteSettings");
    const duration = await new Promise((resolve) => session.ping((_error, took) => resolve(took)));
    expect(duration).toBeGreaterThan(0);
    for (const length of [0, 1, 8, 9, 16_384, 16_385, 60_000]) {
      expect(await request(session, push, "x".repeat(length))).toMatchObject({ status: 200 });
    }
    session.destroy();
  });

  it("does not run out of flow control", async () => {
    await using server = await startThroughputServer();
    const session = connect(server.url, { ca: server.ca });
    const body = "x".repeat(60_000);
    for (let n = 0; n < 20; n += 1) {
      await Promise.all(Array.from({ length: 20 }, async () => request(session, push, body)));
    }
    expect(server.stats().pushes).toBe(400);
    session.destroy();
  });

  it("understands frames whichever way they are cut", async () => {
    await using server = await startThroughputServer();
    await using client = await connectRaw(server.port, server.ca);
    client.socket.setNoDelay(true);
    const bytes = Buffer.concat([
      aRequest(1, false),
      frame(0, 1, 1, Buffer.from("{}")),
      frame(6, 0, 0, OPAQUE),
    ]);
    for (const byte of bytes) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => client.frames().at(-1)).toBe(`6 0 ${OPAQUE.toString("hex")}`);
    expect(client.frames().filter((one) => one.startsWith("1 1 88"))).toHaveLength(1);
  });

  it("keeps answers back for the latency asked for", async () => {
    const clock = new ManualClock();
    await using server = await startThroughputServer({ clock, latency: { kind: "fixed", ms: 50 } });
    const session = connect(server.url, { ca: server.ca });
    const seen = request(session, push, PAYLOAD);
    await expect.poll(() => clock.sleepers).toBe(1);
    clock.advance(50);
    expect(await seen).toMatchObject({ status: 200 });
    session.destroy();
  });
});
