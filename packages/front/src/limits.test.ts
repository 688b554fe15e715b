import { connect, type Socket } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { ConnectionCounter } from "./s2s/connection-limits.ts";
import { listen } from "./listen.ts";
import { LookUpBudget } from "./s2s/look-up-budget.ts";
import { networkOf } from "./s2s/network-of.ts";
import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer } from "./testing/a-peer.ts";

const limits = { connections: 8, unproven: 6, unprovenOfAddress: 3, connectionsOfAddress: 5 };
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
    // The oldest of the address with most of them makes room.
    const [oldest] = sockets;
    expect(await accepted("127.0.0.4")).toBe(true);
    await expect.poll(() => oldest?.closed).toBe(true);
    expect(rig.front.reading().unproven).toBe(6);
    expect(rig.events.filter(({ kind }) => kind === "limit-reached")).toEqual([
      { kind: "limit-reached", limit: "unprovenOfAddress" },
      { kind: "limit-reached", limit: "unproven" },
    ]);
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect.poll(() => rig.front.reading().connections).toBe(0);
  });

  it("are counted down exactly, whatever the order", () => {
    const ignore = (): void => undefined;
    const counter = new ConnectionCounter({ ...limits, onEvicted: ignore });
    const all = Array.from({ length: 3 }, () => counter.admit("192.0.2.1", ignore));
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
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:0::/56"],
    ["2001:db8:1:ff:3:4:5:6", "2001:db8:1:0::/56"],
    ["2001:db8:1:102:3:4:5:6", "2001:db8:1:100::/56"],
    ["2001:db8::1", "2001:db8:0:0::/56"],
    ["fe80::1%eth0", "fe80:0:0:0::/56"],
    ["::1", "0:0:0:0::/56"],
  ])("take %s as %s", (address, source) => expect(networkOf(address)).toBe(source));
});

describe("streams of one domain", () => {
  it("are so many; the oldest is closed in form for a new one", async () => {
    await using rig = await aFront({ limits: { streamsOfDomain: 2 } });
    const from = "busy.example";
    const { certificate: authority } = rig.authority;
    const options = {
      port: rig.port,
      from,
      to: HOSTNAME,
      authority,
      certificate: rig.authority.issue({ names: [from] }),
    };
    await using first = await APeer.proven(options);
    await using second = await APeer.proven(options);
    await using third = await APeer.proven(options);
    await first.hears("</stream:stream>");
    expect(second.heard + third.heard).not.toContain("</stream:stream>");
    expect(rig.events).toContainEqual({ kind: "limit-reached", limit: "streamsOfDomain" });
  });
});

describe("dialback look-ups", () => {
  it("of one address are so many, and leave some for others", () => {
    const budget = new LookUpBudget({ lookUps: 5, lookUpsOfAddress: 3 });
    const taken = Array.from({ length: 4 }, () => budget.take("192.0.2.1"));
    expect(taken.at(-1)).toBe("lookUpsOfAddress");
    budget.take("192.0.2.2");
    budget.take("2001:db8::1");
    expect(budget.take("192.0.2.3")).toBe("lookUps");
    const [giveBack] = taken;
    if (typeof giveBack === "function") giveBack();
    expect(budget.take("192.0.2.3")).toBeTypeOf("function");
    expect(budget.inAll).toBe(5);
  });

  it("beyond that are answered `resource-constraint`, and the stream goes on", async () => {
    await using rig = await aFront({ limits: { lookUpsOfAddress: 1 } });
    const options = { port: rig.port, from: "a.example", to: HOSTNAME, authority: rig.authority.certificate };
    await using silent = await listen({ host: "127.0.0.1", port: 0 }, (socket) => sockets.push(socket)).then(
      ({ address, stop }) => ({ port: address.port, [Symbol.asyncDispose]: async () => stop() }),
    );
    rig.know("a.example", silent.port);
    await using peer = await APeer.secure(options);
    for (let round = 0; round < 2; round += 1)
      peer.say(`<db:result from='a.example' to='${HOSTNAME}'>key</db:result>`);
    await peer.hears("<resource-constraint");
    expect(rig.events).toContainEqual({ kind: "limit-reached", limit: "lookUpsOfAddress" });
    expect(peer.isClosed).toBe(false);
  });
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
