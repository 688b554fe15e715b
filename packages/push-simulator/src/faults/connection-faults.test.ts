import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

import { describe, expect, it } from "vitest";

import { type ApnsSimulator, startApnsSimulator } from "../index.ts";
import { aToken, connectTo, startPair, TOKEN } from "../testing/client.ts";
import { aRequest, connectRaw, frame } from "../testing/raw-client.ts";
import { ManualClock } from "../testing/manual-clock.ts";

const dial = (simulator: ApnsSimulator): ClientHttp2Session => {
  const session = connect(`https://127.0.0.1:${simulator.port}`, { ca: simulator.ca });
  session.on("error", () => {});
  return session;
};

const closed = async (session: ClientHttp2Session): Promise<void> => {
  await new Promise<void>((resolve) => session.once("close", () => resolve()));
};

const tokens = (count: number): string[] => Array.from({ length: count }, (_, n) => aToken(n));

describe("a connection that is being opened", () => {
  it.each([
    ["nothing by ALPN", [], false],
    ["h2", ["h2"], true],
  ])("is HTTP/2 for a client that offers %s, which is recorded", async (_what, offered, alpn) => {
    await using simulator = await startApnsSimulator();
    await using client = await connectRaw(simulator.port, simulator.ca, offered);
    client.socket.write(aRequest(1));
    await expect.poll(() => client.frames().some((one) => one.startsWith("1 1 "))).toBe(true);
    expect(simulator.connections).toMatchObject([{ alpn, pushes: 1 }]);
  });

  it("is refused by TLS for a client that offers HTTP/1.1 alone", async () => {
    await using simulator = await startApnsSimulator();
    const { port, ca } = simulator;
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      ca,
      servername: "localhost",
      ALPNProtocols: ["http/1.1"],
    });
    const error = await new Promise((resolve) => socket.once("error", resolve));
    expect(error).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL" });
    expect(simulator.stats()).toMatchObject({ handshakesFailed: 1, connectionsOpened: 0 });
  });

  it("can be reset at once", async () => {
    await using simulator = await startApnsSimulator();
    simulator.connectFaults.add({ kind: "reset" }, 1);
    const error = await new Promise((resolve) => dial(simulator).once("error", resolve));
    expect(error).toMatchObject({ code: "ECONNRESET" });
    await using client = await connectTo(simulator);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("can be accepted without a word of TLS", async () => {
    await using simulator = await startApnsSimulator();
    simulator.connectFaults.add({ kind: "no-tls" });
    const socket = connectTls({
      host: "127.0.0.1",
      port: simulator.port,
      ca: simulator.ca,
      servername: "localhost",
    });
    await once(socket, "connect");
    const spoke = once(socket, "secureConnect").then(() => "spoke");
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, "quiet"));
    expect(await Promise.race([spoke, quiet])).toBe("quiet");
    socket.destroy();
  });

  it("can be slow with TLS", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({ clock });
    simulator.connectFaults.add({ kind: "slow-tls", ms: 3_000 });
    const connecting = connectTo(simulator);
    await expect.poll(() => clock.sleepers).toBe(1);
    expect(simulator.connections).toHaveLength(0);
    clock.advance(3_000);
    await using client = await connecting;
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("can lack SETTINGS", async () => {
    await using simulator = await startApnsSimulator();
    simulator.connectFaults.add({ kind: "no-settings" });
    const session = dial(simulator);
    await once(session, "connect");
    const spoke = once(session, "remoteSettings").then(() => "spoke");
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, "quiet"));
    expect(await Promise.race([spoke, quiet])).toBe("quiet");
    session.destroy();
  });

  it("can be closed after TLS", async () => {
    await using simulator = await startApnsSimulator();
    simulator.connectFaults.add({ kind: "close" });
    const session = dial(simulator);
    await closed(session);
    expect(simulator.connections).toHaveLength(0);
  });

  it("does no harm with nonsense", async () => {
    await using simulator = await startApnsSimulator();
    const odd = connectTcp(simulator.port, "127.0.0.1");
    odd.on("error", () => {});
    odd.write("GET / HTTP/1.1\r\n\r\n");
    odd.resume();
    await once(odd, "close");
    await expect.poll(() => simulator.stats().handshakesFailed).toBe(1);
  });
});

describe("the stream limit", () => {
  it("falls to 1 after a refusal and rises after the next success, where that is asked for", async () => {
    await using pair = await startPair({ behaviour: { narrowAfterRefusal: true, streamLimit: 50 } });
    const { simulator, client } = pair;
    await client.push(TOKEN);
    simulator.devices.bad(aToken(1));
    simulator.devices.kill(aToken(2));
    await client.push(aToken(2));
    await client.push(TOKEN);
    expect(client.limits).toEqual([1, 50]);
    await client.push(aToken(1));
    await client.push(TOKEN);
    expect(client.limits).toEqual([1, 50, 1, 50]);
  });

  it("changes on the fly", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.change({ streamLimit: 500 });
    await new Promise((resolve) => client.session.ping(resolve));
    expect(client.limits).toEqual([1]);
    await client.push(TOKEN);
    simulator.change({ streamLimit: 2 });
    await expect.poll(() => client.limits).toEqual([1, 500, 2]);
    const seen = await Promise.all(tokens(20).map(async (token) => client.push(token)));
    expect(seen.every(({ status }) => status === 200)).toBe(true);
    expect(simulator.stats().excessStreams).toBe(0);
  });

  it("when violated ends the connection with GOAWAY, where that is asked for", async () => {
    await using simulator = await startApnsSimulator({ behaviour: { onTooManyStreams: "goaway" } });
    await using client = await connectTo(simulator, { eager: true });
    const seen = await Promise.all(tokens(50).map(async (token) => client.push(token)));
    expect(seen.filter(({ status }) => status === 200)).toEqual([]);
    expect(client.goaways).toMatchObject([{ code: 1, data: '{"reason":"Maximum active streams violated"}' }]);
  });
});

describe("GOAWAY", () => {
  it("once lets everything in flight be answered, then the connection ends", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    await client.push(TOKEN);
    simulator.change({ latency: { kind: "fixed", ms: 50 } });
    const all = tokens(10).map(async (token) => client.push(token));
    await expect.poll(() => clock.sleepers).toBe(10);
    simulator.goaway();
    expect(simulator.connections[0]).toMatchObject({ state: "draining" });
    clock.advance(50);
    expect((await Promise.all(all)).filter(({ status }) => status === 200)).toHaveLength(10);
    expect(client.goaways).toMatchObject([{ code: 0, last: 21, data: "" }]);
    await expect.poll(() => simulator.connections[0]?.state).toBe("closed");
  });

  it("can name a last stream, or none at all", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { firstStreamLimit: 10 } });
    const { simulator, client } = pair;
    simulator.change({ latency: { kind: "fixed", ms: 50 } });
    const all = tokens(4).map(async (token) => client.push(token));
    await expect.poll(() => clock.sleepers).toBe(4);
    simulator.goaway({ keep: 0, reason: "BadCertificate" });
    clock.advance(50);
    const seen = await Promise.all(all);
    expect(seen.map(({ status }) => status)).toEqual([undefined, undefined, undefined, undefined]);
    expect(client.goaways).toMatchObject([{ last: 0, data: '{"reason":"BadCertificate"}' }]);
    await expect.poll(() => simulator.stats().cut).toBe(4);
    expect(simulator.ledger.pushes.filter(({ processed }) => processed)).toEqual([]);
  });

  it("ends an idle connection, with any code", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.goaway({ code: "ENHANCE_YOUR_CALM", reason: "Shutdown" });
    await closed(client.session);
    expect(client.goaways).toMatchObject([{ code: 11, data: '{"reason":"Shutdown"}' }]);
  });

  it("can come with a push, which is answered all the same", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ fault: { kind: "goaway", reason: "IdleTimeout" } });
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    expect(client.goaways).toMatchObject([{ last: 1, data: '{"reason":"IdleTimeout"}' }]);
  });

  it("comes after too many bad device tokens, where that is asked for", async () => {
    await using pair = await startPair({ behaviour: { badTokensPerConnection: 2 } });
    const { simulator, client } = pair;
    simulator.devices.bad(TOKEN);
    await client.push(TOKEN);
    expect(client.goaways).toEqual([]);
    await client.push(TOKEN);
    await expect.poll(() => client.goaways).toHaveLength(1);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])("of the client is answered with one at once: %s", async (answerGoaway, goaways) => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { answerGoaway, firstStreamLimit: 10 } });
    const { simulator, client } = pair;
    simulator.change({ latency: { kind: "fixed", ms: 50 } });
    const seen = client.push(TOKEN);
    await expect.poll(() => clock.sleepers).toBe(1);
    client.session.goaway();
    // A PONG overtakes other frames, so the first one may come before what the GOAWAY has caused.
    await new Promise((resolve) => client.session.ping(resolve));
    await new Promise((resolve) => client.session.ping(resolve));
    expect(client.goaways).toHaveLength(goaways);
    clock.advance(50);
    expect(await seen).toMatchObject({ status: 200 });
  });
});

describe("the end after GOAWAY", () => {
  it("comes from the simulator, at once without pushes in flight", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectRaw(simulator.port, simulator.ca);
    await expect.poll(() => simulator.connections).toHaveLength(1);
    simulator.goaway({ reason: "Shutdown" });
    await client.ended;
    expect(client.frames().at(-1)).toContain(Buffer.from('{"reason":"Shutdown"}').toString("hex"));
  });

  it("comes after the last answer", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({
      clock,
      behaviour: { latency: { kind: "fixed", ms: 50 } },
    });
    await using client = await connectRaw(simulator.port, simulator.ca);
    client.socket.write(aRequest(1));
    await expect.poll(() => clock.sleepers).toBe(1);
    simulator.goaway();
    clock.advance(50);
    await client.ended;
    expect(client.frames().findLast((one) => one.startsWith("0 1 "))).toBe(
      `0 1 ${Buffer.from('{"reason":"BadPath"}').toString("hex")}`,
    );
  });

  it("need not come", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectRaw(simulator.port, simulator.ca);
    await expect.poll(() => simulator.connections).toHaveLength(1);
    simulator.goaway({ close: "never" });
    client.socket.write(frame(6, 0, 0, Buffer.from("8 bytes.")));
    await expect.poll(client.frames).toContain(`6 0 ${Buffer.from("8 bytes.").toString("hex")}`);
  });
});

describe("a request that never was whole", () => {
  it("is no push", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectRaw(simulator.port, simulator.ca);
    client.socket.write(aRequest(1, false));
    await expect.poll(() => simulator.connections[0]?.inFlight).toBe(1);
    client.socket.write(frame(3, 0, 1, Buffer.of(0, 0, 0, 8)));
    await expect.poll(() => simulator.connections[0]?.inFlight).toBe(0);
    expect(simulator.ledger.pushes).toEqual([]);
  });
});

describe("a shutdown", () => {
  it("answers all in flight with 503 and says goodbye", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    await client.push(TOKEN);
    simulator.change({ latency: { kind: "fixed", ms: 50 } });
    const all = tokens(5).map(async (token) => client.push(token));
    await expect.poll(() => clock.sleepers).toBe(5);
    simulator.shutdown();
    clock.advance(50);
    const seen = await Promise.all(all);
    expect(seen.map(({ body }) => body)).toEqual(Array.from({ length: 5 }, () => '{"reason":"Shutdown"}'));
    expect(client.goaways).toMatchObject([{ data: '{"reason":"Shutdown"}' }]);
    expect(simulator.ledger.pushes.filter(({ processed }) => processed)).toHaveLength(1);
  });
});

describe("an open connection", () => {
  it("can lose all its streams and go on", async () => {
    await using pair = await startPair({ behaviour: { stallShare: 1, firstStreamLimit: 10 } });
    const { simulator, client } = pair;
    const all = tokens(3).map(async (token) => client.push(token));
    await expect.poll(() => simulator.ledger.pushes.length).toBe(3);
    simulator.resetStreams("CANCEL");
    expect((await Promise.all(all)).map(({ rstCode }) => rstCode)).toEqual([8, 8, 8]);
    simulator.change({ stallShare: 0 });
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("can be reset, others stay", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    await using other = await connectTo(simulator);
    simulator.resetConnections(1);
    await closed(client.session);
    expect(await other.push(TOKEN)).toMatchObject({ status: 200 });
    await expect.poll(() => simulator.connections.map(({ state }) => state)).toEqual(["closed", "open"]);
  });

  it("takes no push while it is frozen", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { latency: { kind: "fixed", ms: 50 } } });
    const { simulator, client } = pair;
    const seen = client.push(TOKEN);
    await expect.poll(() => clock.sleepers).toBe(1);
    await using other = await connectTo(simulator);
    simulator.freeze(1);
    clock.advance(50);
    const beside = other.push(aToken(1));
    await expect.poll(() => clock.sleepers).toBe(1);
    clock.advance(50);
    await beside;
    expect(simulator.ledger.pushesTo(TOKEN)).toMatchObject([{ state: "pending", processed: false }]);
    client.session.destroy();
    expect(await seen).toMatchObject({ status: undefined });
    expect(simulator.connections[0]).toMatchObject({ state: "frozen" });
    simulator.thaw();
    await expect.poll(() => simulator.ledger.pushesTo(TOKEN)[0]?.state).not.toBe("pending");
  });

  it("writes nothing while it is frozen, and all of it afterwards", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    await using other = await connectTo(simulator);
    simulator.freeze(1);
    simulator.goaway({ connection: 1, reason: "Shutdown" });
    await other.push(TOKEN);
    expect(client.goaways).toEqual([]);
    simulator.thaw();
    await expect.poll(() => client.goaways).toHaveLength(1);
  });

  it("can be frozen in the middle of a read", async () => {
    const clock = { now: () => Date.now(), sleep: async () => simulator.freeze(1) };
    await using simulator = await startApnsSimulator({ clock });
    await using client = await connectTo(simulator);
    await using other = await connectTo(simulator);
    await client.push(TOKEN);
    simulator.rules.add({ match: { connection: 1 }, latency: { kind: "fixed", ms: 1 } });
    const first = client.push(aToken(1));
    await expect.poll(() => simulator.connections[0]?.state).toBe("frozen");
    const second = client.push(aToken(2));
    await other.push(TOKEN);
    expect(simulator.ledger.pushesTo(aToken(2))).toEqual([]);
    client.session.destroy();
    await Promise.all([first, second]);
  });

  it("counts the client's pings", async () => {
    await using pair = await startPair();
    await new Promise((resolve) => pair.client.session.ping(resolve));
    expect(pair.simulator.connections[0]?.pings).toBe(1);
  });
});
