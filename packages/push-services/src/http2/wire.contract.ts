import { once } from "node:events";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from "node:http2";

import { type ApnsSimulator, startApnsSimulator } from "@reveille/push-simulator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { aKey, KEY_ID, TEAM_ID } from "../testing/an-apns.ts";
import { signingKeyOf } from "../apns/es256.ts";
import { providerTokens } from "../apns/provider-token.ts";
import { realClock } from "../testing/real-clock.ts";
import { aFloodingServer, FLOODS, type TestServer } from "../testing/a-flooding-server.ts";
import { aServerIdentity } from "../testing/a-server-identity.ts";
import { type Endpoint, type Resolve } from "./endpoint.ts";
import { type OpenWire, type Wire, type WireRequest, type WireResult } from "./wire.ts";

interface OpenedWire extends AsyncDisposable {
  readonly wire: Wire;
  readonly limits: readonly number[];
  readonly goaways: readonly string[];
  readonly ends: readonly string[];
  /** Sends a request and gives what became of it. */
  readonly send: (request?: Partial<WireRequest>) => Promise<WireResult>;
}

const resolve: Resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
const bearer = providerTokens(
  { key: signingKeyOf(aKey().privateKey), keyId: KEY_ID, teamId: TEAM_ID },
  realClock,
)().bearer;
const token = "ab".repeat(32);

/** What every HTTP/2 engine behind the port has to do. */
export function describeWire(name: string, wires: (endpoint: Endpoint, resolve: Resolve) => OpenWire): void {
  function open(to: { readonly port: number; readonly ca: string }): OpenedWire {
    const limits: number[] = [];
    const goaways: string[] = [];
    const ends: string[] = [];
    const wire = wires(
      { host: "localhost", port: to.port, tls: { ca: to.ca } },
      resolve,
    )({
      settings: (limit) => void limits.push(limit),
      goaway: (detail) => void goaways.push(detail),
      closed: (because) => void ends.push(because),
    });
    const send = (request: Partial<WireRequest> = {}): Promise<WireResult> =>
      new Promise((settle) => {
        wire.request({
          path: `/3/device/${token}`,
          headers: ["apns-topic", "com.example.app", "apns-push-type", "alert"],
          ownHeaders: ["authorization", bearer],
          body: Buffer.from('{"aps":{"alert":"x"}}'),
          settle,
          ...request,
        });
      });
    const dispose = async (): Promise<void> => {
      wire.destroy("test is over");
      await eventually(() => expect(ends).toHaveLength(1));
    };
    return { wire, limits, goaways, ends, send, [Symbol.asyncDispose]: dispose };
  }

  async function ready(simulator: ApnsSimulator): Promise<OpenedWire> {
    const opened = open(simulator);
    await eventually(() => expect(opened.limits.length).toBeGreaterThan(0));
    return opened;
  }

  describe(`a wire of ${name}`, () => {
    it("tells the stream limit when it is ready, and again when it changes", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      expect(opened.limits).toEqual([1]);
      await opened.send();
      await eventually(() => expect(opened.limits).toEqual([1, 1_000]));
    });

    it("carries path, headers and body, and brings back status and body", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      expect(await opened.send()).toMatchObject({ kind: "answered", status: 200, body: "" });
      const [push] = simulator.ledger.pushesTo(token);
      expect(push?.headers).toMatchObject({ "apns-topic": "com.example.app", authorization: bearer });
      expect(push?.payload).toEqual({ aps: { alert: "x" } });
      expect(await opened.send({ path: "/3/other" })).toMatchObject({
        status: 404,
        body: '{"reason":"BadPath"}',
      });
    });

    it("sends a body larger than the windows of the other side", async () => {
      await using server = await aServer({ initialWindowSize: 100 }, (stream) => {
        stream.resume().on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
      });
      await using opened = open(server);
      await eventually(() => expect(opened.limits).toHaveLength(1));
      const bodies = [1, 99, 100, 101, 70_000, 200_000].map((length) => Buffer.alloc(length, "x"));
      const results = await Promise.all(bodies.map((body) => opened.send({ body })));
      expect(results.map((result) => result.kind)).toEqual(bodies.map(() => "answered"));
    });

    it("reads any header, whatever the other side's table and compression do", async () => {
      let value = "";
      await using server = await aServer({ headerTableSize: 100 }, (stream) => {
        stream.respond({
          ":status": 429,
          "retry-after": value,
          "x-other": value.slice(1),
          "x-more": `${value}.`,
        });
        stream.end("");
      });
      await using opened = open(server);
      await eventually(() => expect(opened.limits).toHaveLength(1));
      const isRead = async (sent: string): Promise<void> => {
        value = sent.trim();
        expect(await opened.send()).toMatchObject({ kind: "answered", status: 429, retryAfter: value });
      };
      const values = fc.oneof(
        fc.string({ maxLength: 300 }),
        fc.constantFrom("120", "a".repeat(3_000), "~".repeat(127)),
      );
      await fc.assert(fc.asyncProperty(values, isRead), { numRuns: 200 });
    });

    it.each([
      ["REFUSED_STREAM", "unprocessed"],
      ["INTERNAL_ERROR", "unanswered"],
      ["CANCEL", "unanswered"],
      ["NO_ERROR", "unanswered"],
    ] as const)("knows what a reset with %s means: %s", async (code, kind) => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      simulator.rules.add({ fault: { kind: "reset-stream", code } });
      expect(await opened.send()).toMatchObject({ kind });
    });

    it("settles what a GOAWAY cuts off as unprocessed, after telling of it", async () => {
      await using simulator = await startApnsSimulator({
        behaviour: { latency: { kind: "fixed", ms: 500 } },
      });
      await using opened = await ready(simulator);
      await opened.send();
      const results = Promise.all(Array.from({ length: 10 }, () => opened.send()));
      await eventually(() => expect(simulator.ledger.pushes).toHaveLength(11));
      simulator.goaway({ keep: 4, reason: "Shutdown" });
      const kinds = (await results).map((result) => result.kind);
      expect(kinds.filter((kind) => kind === "answered")).toHaveLength(4);
      expect(kinds.filter((kind) => kind === "unprocessed")).toHaveLength(6);
      expect(opened.goaways.at(0)).toBe('{"reason":"Shutdown"}');
    });

    it("settles what a lost connection leaves open as unanswered, before it tells of the end", async () => {
      await using simulator = await startApnsSimulator({
        behaviour: { latency: { kind: "fixed", ms: 5_000 } },
      });
      await using opened = await ready(simulator);
      const order: string[] = [];
      const result = opened.send({ settle: (settled) => void order.push(settled.kind) });
      void result;
      await eventually(() => expect(simulator.ledger.pushes).toHaveLength(1));
      simulator.resetConnections();
      await eventually(() => expect(opened.ends).toHaveLength(1));
      expect(order).toEqual(["unanswered"]);
    });

    it("gives a cancelled request what has arrived until then, and goes on with others", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      await opened.send();
      simulator.rules.add({ fault: { kind: "headers-only", status: 200 }, times: 1 });
      simulator.rules.add({ fault: { kind: "no-answer" }, times: 1 });
      const settled: WireResult[] = [];
      const streams = [1, 2].map(() =>
        opened.wire.request({
          path: `/3/device/${token}`,
          headers: ["apns-topic", "com.example.app"],
          ownHeaders: ["authorization", bearer],
          body: Buffer.from("{}"),
          settle: (result) => void settled.push(result),
        }),
      );
      await eventually(() => expect(simulator.ledger.pushes).toHaveLength(3));
      await opened.send();
      for (const stream of streams) stream.cancel("too long");
      expect(settled).toEqual([]);
      await eventually(() => expect(settled).toHaveLength(2));
      for (const stream of streams) stream.cancel("too long");
      expect(settled).toMatchObject([{ status: 200 }, { kind: "unanswered", because: "too long" }]);
      expect(await opened.send()).toMatchObject({ status: 200 });
    });

    it("answers pings with whether the other side lives", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      const answers: boolean[] = [];
      opened.wire.ping((answered) => void answers.push(answered));
      expect(answers).toEqual([]);
      await eventually(() => expect(answers).toEqual([true]));
      simulator.freeze();
      opened.wire.ping((answered) => void answers.push(answered));
      opened.wire.destroy("gone");
      await eventually(() => expect(opened.ends).toEqual(["gone"]));
      expect(answers).not.toEqual([true, true]);
    });

    it.each(FLOODS)(
      "ends in bounded memory when a peer that does not read sends %s without end",
      async (_what, flood) => {
        await using peer = await aFloodingServer(flood);
        const before = process.memoryUsage().rss;
        await using opened = open(peer);
        await eventually(() => expect(opened.ends).toHaveLength(1));
        expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
      },
    );

    it("closes in good order", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = await ready(simulator);
      expect(await opened.send()).toMatchObject({ status: 200 });
      opened.wire.close();
      expect(await opened.send()).toMatchObject({ kind: "unprocessed" });
      await eventually(() => expect(opened.ends).toHaveLength(1));
      expect(simulator.connections.map(({ state }) => state)).toEqual(["closed"]);
    });

    it("takes no request before it is ready, nor after its end, and never throws", async () => {
      await using simulator = await startApnsSimulator();
      await using opened = open(simulator);
      const early = opened.send();
      expect(await early).toMatchObject({ kind: "unprocessed" });
      opened.wire.destroy("changed my mind");
      opened.wire.destroy("again");
      opened.wire.close();
      opened.wire.ping(() => undefined);
      expect(await opened.send()).toMatchObject({ kind: "unprocessed" });
      await eventually(() => expect(opened.ends).toEqual(["changed my mind"]));
    });

    it("tells why it could not connect", async () => {
      await using simulator = await startApnsSimulator();
      const { port, ca } = simulator;
      await simulator.stop();
      await using opened = open({ port, ca });
      await eventually(() =>
        expect(opened.ends[0]).toMatch(/^cannot connect to localhost:\d+: .*ECONNREFUSED/),
      );
    });
  });
}

/** An HTTP/2 server of Node's that does what the test wants. */
async function aServer(
  settings: { readonly initialWindowSize?: number; readonly headerTableSize?: number },
  respond: (stream: ServerHttp2Stream) => void,
): Promise<TestServer> {
  const { key, cert } = aServerIdentity("localhost");
  const server: Http2SecureServer = createSecureServer({ key, cert, settings });
  const sessions = new Set<{ readonly destroy: () => void }>();
  server.on("session", (session) => void sessions.add(session));
  server.on("stream", respond);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    ca: cert,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
