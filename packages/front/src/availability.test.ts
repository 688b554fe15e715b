import { connect } from "node:net";
import { createServer } from "node:http";
import { once } from "node:events";

import { seconds } from "@reveille/wakeup";
import { ManualClock } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { askSidecars } from "./host-states.ts";
import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer } from "./testing/a-peer.ts";

const DOMAIN = "server.example";

/** A front of a host, and whether that and another host of the region are ready. */
async function aHost(isAnotherReady: boolean) {
  const hosts = { isOwnReady: true, isAnotherReady };
  const rig = await aFront({
    hosts: () => ({
      isOwnReady: async () => hosts.isOwnReady,
      isAnotherReady: async () => hosts.isAnotherReady,
    }),
  });
  const { certificate: authority } = rig.authority;
  const certificate = rig.authority.issue({ names: [DOMAIN] });
  const options = { port: rig.port, from: DOMAIN, to: HOSTNAME, bidi: true, authority, certificate };
  return {
    hosts,
    rig,
    aPeer: async () => APeer.proven(options),
    isRefused: async () => isRefusedAt(rig.port),
    [Symbol.asyncDispose]: async () => rig[Symbol.asyncDispose](),
  };
}

async function isRefusedAt(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

const request = `<iq type='set' id='under-way' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`;

describe("a host that is not ready while another one is", () => {
  it("refuses connections, closes its streams in form with what is under way taken, and listens again when ready", async () => {
    await using host = await aHost(true);
    const { rig, hosts } = host;
    await using component = await aComponent(rig.front);
    await using peer = await host.aPeer();
    hosts.isOwnReady = false;
    await rig.clock.advance(seconds(1));
    await peer.hears("</stream:stream>");
    expect(await host.isRefused()).toBe(true);
    peer.say(request);
    await component.hears("id='under-way'");
    expect(rig.front.reading().isListening).toBe(false);
    expect(rig.front.health()).toContainEqual({
      part: "listener",
      health: { kind: "failing", because: "streams go to another host, since this one is not ready" },
    });
    hosts.isOwnReady = true;
    await rig.clock.advance(seconds(1));
    await expect.poll(async () => host.isRefused()).toBe(false);
    expect(rig.events.filter(({ kind }) => kind === "listening-changed")).toHaveLength(3);
  });

  it("listens again if the other one is not ready any more", async () => {
    await using host = await aHost(true);
    host.hosts.isOwnReady = false;
    await host.rig.clock.advance(seconds(1));
    expect(await host.isRefused()).toBe(true);
    host.hosts.isAnotherReady = false;
    await host.rig.clock.advance(seconds(1));
    await expect.poll(async () => host.isRefused()).toBe(false);
  });
});

describe("a region in which no host is ready", () => {
  it("has fronts that listen, so that publishes are answered with `wait` and not refused", async () => {
    await using host = await aHost(false);
    host.hosts.isOwnReady = false;
    await using peer = await host.aPeer();
    await host.rig.clock.advance(seconds(2));
    peer.say(request);
    await expect.poll(() => host.rig.front.reading().unanswered).toBe(1);
    await host.rig.clock.advance(seconds(6));
    await peer.hears("<remote-server-timeout");
    expect(await host.isRefused()).toBe(false);
  });
});

describe("a drain", () => {
  it("is refused while no other host is ready, unless it is wanted always, and can be undone", async () => {
    await using host = await aHost(false);
    const { rig } = host;
    expect(await rig.front.drain()).toMatchObject({ kind: "refused" });
    expect(await host.isRefused()).toBe(false);
    expect(await rig.front.drain("always")).toEqual({ kind: "drained" });
    expect(await host.isRefused()).toBe(true);
    await rig.clock.advance(seconds(3));
    expect(await host.isRefused()).toBe(true);
    await rig.front.undoDrain();
    expect(await host.isRefused()).toBe(false);
  });
});

describe("a sidecar that is asked", () => {
  it("tells by its status; one that is silent leaves it to the components", async () => {
    let status = 200;
    await using server = createServer((_request, response) => void response.writeHead(status).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const at = { host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 };
    const nobody = { host: "127.0.0.1", port: 1 };
    let isServed = true;
    const clock = new ManualClock();
    const states = askSidecars({ own: at, others: [nobody, at] }, () => isServed, clock);
    expect([await states.isOwnReady(), await states.isAnotherReady()]).toEqual([true, true]);
    status = 503;
    expect([await states.isOwnReady(), await states.isAnotherReady()]).toEqual([false, false]);
    const alone = askSidecars({ own: nobody, others: [nobody] }, () => isServed, clock);
    expect([await alone.isOwnReady(), await alone.isAnotherReady()]).toEqual([true, false]);
    isServed = false;
    expect(await alone.isOwnReady()).toBe(false);
  });
});
