import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

import { seconds } from "@reveille/wakeup";
import { expect, it } from "vitest";

import { type FrontLimits } from "./limits.ts";
import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer } from "./testing/a-peer.ts";

const GOOD = "good.example";

/** Opens connections from these addresses of the loopback, `first` written on each; all are closed at the end. */
function flood(
  port: number,
  count: number,
  options: { readonly first?: () => Buffer; readonly addresses: number },
) {
  const sockets: Socket[] = [];
  let closed = 0;
  for (let at = 0; at < count; at += 1) {
    const socket = connect({
      host: "127.0.0.1",
      port,
      localAddress: `127.0.1.${1 + (at % options.addresses)}`,
    });
    socket.on("error", () => undefined);
    // The end of a connection is told when what came before has been read.
    socket.resume();
    socket.on("close", () => void (closed += 1));
    socket.on("connect", () => {
      const first = options.first?.();
      if (first !== undefined) socket.write(first);
    });
    sockets.push(socket);
  }
  return {
    closed: () => closed,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A front, and the round trip of one proven peer through it. */
async function aRegion(limits: Partial<FrontLimits> = {}) {
  const stack = new AsyncDisposableStack();
  const rig = stack.use(await aFront({ limits }));
  const component = stack.use(await aComponent(rig.front));
  const options = {
    port: rig.port,
    from: GOOD,
    to: HOSTNAME,
    bidi: true,
    authority: rig.authority.certificate,
    certificate: rig.authority.issue({ names: [GOOD] }),
  };
  const peer = stack.use(await APeer.proven(options));
  const ask = async (id: string): Promise<void> => {
    peer.say(`<iq type='set' id='${id}' from='${GOOD}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`);
    await component.hears(`id='${id}'`);
    component.say(`<iq type='result' id='${id}' from='${HOSTNAME}' to='${GOOD}'/>`);
    await peer.hears(`id='${id}'`);
  };
  return {
    rig,
    ask,
    aPeer: async () => APeer.proven(options),
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  };
}

it("1,000 connections that say random bytes in place of TLS records end, and others are served meanwhile", async () => {
  await using region = await aRegion();
  using attack = flood(region.rig.directPort, 1_000, { first: () => randomBytes(400), addresses: 100 });
  for (let round = 0; round < 20; round += 1) await region.ask(`during-${round}-`);
  // A few of them look like the beginning of a long record, and have 10 s for the rest.
  const closedInTime = async (): Promise<number> => {
    await region.rig.clock.advance(seconds(11));
    return attack.closed();
  };
  await expect.poll(closedInTime).toBe(1_000);
  await expect.poll(() => region.rig.front.reading().unproven).toBe(0);
});

it("1,000 half-open connections of one address are refused but for 50, and another address proves itself", async () => {
  await using region = await aRegion();
  using attack = flood(region.rig.port, 1_000, { addresses: 1 });
  await expect.poll(() => attack.closed()).toBe(950);
  expect(region.rig.front.reading().unproven).toBe(50);
  await region.ask("after");
  await using another = await region.aPeer();
  expect(another.isClosed).toBe(false);
});

it("half-open connections of many addresses have no more than their places, and a new server gets one at once", async () => {
  await using region = await aRegion({ unproven: 200 });
  using attack = flood(region.rig.port, 250, { addresses: 25 });
  await expect.poll(() => attack.closed()).toBe(50);
  expect(region.rig.front.reading().unproven).toBe(200);
  await using another = await region.aPeer();
  expect(another.isClosed).toBe(false);
  expect(region.rig.events).toContainEqual({ kind: "limit-reached", limit: "unproven" });
});
