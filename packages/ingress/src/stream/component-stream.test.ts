import { once } from "node:events";
import { createServer, Socket } from "node:net";

import { ManualClock } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { startHostileFront } from "../fixtures/hostile-front.ts";
import { ComponentStream } from "./component-stream.ts";
import { frontOf } from "./front.ts";

/** A stream to a front that answers our handshake as told, and whether the front has accepted us. */
async function aStream(answer: string) {
  const front = await startHostileFront({ instead: () => answer });
  const clock = new ManualClock();
  const onActive = vi.fn<() => void>();
  const stream = new ComponentStream({
    front: frontOf({ service: front.service, domain: "push.localhost", secret: front.secret }),
    clock,
    limits: { length: 65_536, depth: 32 },
    onActive,
    onStanza: () => undefined,
  });
  await vi.waitFor(() => expect(front.heard[0]).toContain("</handshake>"));
  return { front, clock, stream, onActive, [Symbol.asyncDispose]: async () => front[Symbol.asyncDispose]() };
}

const streamError = (condition: string, text = ""): string =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${text}</${condition}></stream:error></stream:stream>`;

describe("a component stream, where @xmpp/component-core would do something else", () => {
  it("does not follow see-other-host", async () => {
    const other = createServer();
    const onConnection = vi.fn<() => void>();
    other.on("connection", onConnection);
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using rig = await aStream(streamError("see-other-host", `127.0.0.1:${port}`));
    expect(await rig.stream.ended).toEqual({ kind: "lost", because: "see-other-host" });
    // The library connects when its socket has closed; connections are made in real time.
    await vi.waitFor(() => expect(rig.front.open()).toBe(0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(onConnection).not.toHaveBeenCalled();
    expect(rig.front.heard).toHaveLength(1);
    other.close();
  });

  it.each([
    ["conflict", { kind: "conflict" }],
    ["not-authorized", { kind: "lost", because: "not-authorized" }],
    ["system-shutdown", { kind: "lost", because: "system-shutdown" }],
  ])("tells %s from other stream errors", async (condition, end) => {
    await using rig = await aStream(streamError(condition));
    expect(await rig.stream.ended).toEqual(end);
    expect(rig.onActive).not.toHaveBeenCalled();
  });

  it("sends each reply at once, and notices a dead line (TCP_NODELAY, keep-alive)", async () => {
    const [noDelay, keepAlive] = [
      vi.spyOn(Socket.prototype, "setNoDelay"),
      vi.spyOn(Socket.prototype, "setKeepAlive"),
    ];
    onTestFinished(() => [noDelay, keepAlive].forEach((spy) => spy.mockRestore()));
    await using rig = await aStream("<handshake/>");
    await vi.waitFor(() => expect(rig.onActive).toHaveBeenCalled());
    expect(noDelay).toHaveBeenCalledWith(true);
    expect(keepAlive).toHaveBeenCalledWith(true);
  });

  it.each([
    ["an element of another name", "<iq type='result'/>"],
    ["a handshake of another namespace", "<handshake xmlns='urn:other'/>"],
  ])("does not take %s for an accepted handshake", async (_what, answer) => {
    await using rig = await aStream(answer);
    await vi.waitFor(() => expect(rig.stream.heard).toBeGreaterThan(1));
    expect(rig.onActive).not.toHaveBeenCalled();
    await rig.clock.advance(seconds(11));
    expect(await rig.stream.ended).toEqual({ kind: "lost", because: "the front does not answer" });
  });

  it("drops what comes after the end of the stream", async () => {
    await using rig = await aStream(`<handshake/></stream:stream>`);
    expect(await rig.stream.ended).toEqual({ kind: "lost", because: "stream closed by the front" });
    rig.front.say("<iq type='get'/><<<");
    await vi.waitFor(() => expect(rig.front.open()).toBe(0));
  });

  it("gives a front up by its own clock that accepts a connection and says nothing", async () => {
    const silent = createServer();
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const connected = once(silent, "connection");
    const clock = new ManualClock();
    const stream = new ComponentStream({
      front: frontOf({ service: `xmpp://127.0.0.1:${port}`, domain: "push.localhost", secret: "s" }),
      clock,
      limits: { length: 65_536, depth: 32 },
      onActive: () => undefined,
      onStanza: () => undefined,
    });
    await connected;
    await clock.advance(seconds(10));
    expect(await stream.ended).toEqual({ kind: "lost", because: "the front does not answer" });
    silent.close();
  });
});
