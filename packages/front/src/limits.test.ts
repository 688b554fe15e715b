import { connect, type Socket } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { ConnectionCounter, sourceOf } from "./s2s/connection-limits.ts";
import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer } from "./testing/a-peer.ts";

const limits = { connections: 8, unproven: 6, unprovenOfAddress: 3, ofAddress: 5 };
const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='push.example' version='1.0'>";
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function connected(port: number, localAddress: string): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.once("connect", () => void socket.write(HEADER));
  const answer = new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
  // A connection that is refused by a limit is accepted and reset.
  return answer;
}

describe("limits of connections", () => {
  it("leave room for others: one address has so many that have proven nothing, all together so many more", async () => {
    await using rig = await aFront({ limits });
    const accepted = async (address: string): Promise<boolean> => connected(rig.port, address);
    for (let index = 0; index < 3; index += 1) expect(await accepted("127.0.0.2")).toBe(true);
    expect(await accepted("127.0.0.2")).toBe(false);
    for (let index = 0; index < 3; index += 1) expect(await accepted("127.0.0.3")).toBe(true);
    expect(await accepted("127.0.0.4")).toBe(false);
    expect(rig.events.filter(({ kind }) => kind === "connection-refused")).toEqual([
      { kind: "connection-refused", by: "unprovenOfAddress" },
      { kind: "connection-refused", by: "unproven" },
    ]);
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect.poll(() => rig.front.reading().connections).toBe(0);
    expect(await accepted("127.0.0.4")).toBe(true);
  });

  it("are counted down exactly, whatever the order", () => {
    const counter = new ConnectionCounter(limits);
    const all = Array.from({ length: 3 }, () => counter.admit("192.0.2.1"));
    for (const each of all) {
      if (typeof each === "string") throw new Error("refused");
      each.prove();
      each.prove();
      each.leave();
      each.leave();
    }
    expect([counter.connections, counter.unproven]).toEqual([0, 0]);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
  ])("take %s as %s", (address, source) => expect(sourceOf(address)).toBe(source));
});

describe("a peer that does not read", () => {
  it("is given up, and what it is owed does not pile up", async () => {
    await using rig = await aFront();
    await using component = await aComponent(rig.front);
    const from = "deaf.example";
    const certificate = rig.authority.issue({ names: [from] });
    await using peer = await APeer.proven({
      port: rig.port,
      from,
      to: HOSTNAME,
      bidi: true,
      certificate,
      authority: rig.authority.certificate,
    });
    peer.pause();
    const text = `<message from='${HOSTNAME}' to='${from}'><body>${"x".repeat(10_000)}</body></message>`;
    await expect
      .poll(() => {
        component.say(text.repeat(50));
        return rig.events.find(({ kind }) => kind === "peer-stream-ended");
      })
      .toMatchObject({ because: "does not read" });
  });
});
