import { describe, expect, it } from "vitest";

import { type ApnsSimulator } from "../index.ts";
import { aToken, type Client, startPair, TOKEN } from "../testing/client.ts";
import { routesOf } from "./routes.ts";
import { startControl } from "./start-control.ts";

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

interface Controlled extends AsyncDisposable {
  readonly simulator: ApnsSimulator;
  readonly client: Client;
  readonly get: (path: string) => Promise<unknown>;
  readonly send: (path: string, body?: unknown, method?: string) => Promise<Reply>;
}

async function startControlled(): Promise<Controlled> {
  const pair = await startPair();
  const control = await startControl(routesOf(pair.simulator));
  const url = `http://127.0.0.1:${control.port}/_sim`;
  return {
    ...pair,
    get: async (path) => (await fetch(url + path)).json(),
    send: async (path, body = {}, method = "POST") => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(url + path, { method, body: text });
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: async () => {
      await control[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe("the control port", () => {
  it("adds, lists and clears rules", async () => {
    await using controlled = await startControlled();
    const { client, get, send } = controlled;
    const rule = { fault: { kind: "answer", status: 500, reason: "InternalServerError" }, times: 1 };
    expect(await send("/rules", rule)).toEqual({ status: 200, body: { id: 1 } });
    expect(await client.push(TOKEN)).toMatchObject({ status: 500 });
    expect(await get("/rules")).toEqual([{ id: 1, hits: 1, rule }]);
    await send("/rules", {}, "DELETE");
    expect(await get("/rules")).toEqual([]);
  });

  it("changes devices", async () => {
    await using controlled = await startControlled();
    const { client, get, send } = controlled;
    const answerAfter = async (order: object): Promise<string> => {
      await send("/tokens", { tokens: [TOKEN], ...order });
      const { status, body } = await client.push(TOKEN);
      return `${status} ${body}`;
    };
    expect(await answerAfter({ state: "dead", reason: "ExpiredToken", timestamp: 5 })).toBe(
      '410 {"reason":"ExpiredToken","timestamp":5}',
    );
    expect(await answerAfter({ state: "bad" })).toBe('400 {"reason":"BadDeviceToken"}');
    expect(await answerAfter({ state: "registered", topics: ["org.example.other"] })).toBe(
      '400 {"reason":"DeviceTokenNotForTopic"}',
    );
    expect(await answerAfter({ state: "registered", environment: "sandbox" })).toBe(
      '400 {"reason":"BadDeviceToken"}',
    );
    expect(await answerAfter({ state: "forgotten" })).toBe("200 ");
    expect(await answerAfter({ state: "offline" })).toBe("200 ");
    expect(await get(`/tokens?token=${TOKEN}`)).toMatchObject({ shown: [{}], stored: [{ token: TOKEN }] });
    await send("/tokens", { tokens: [TOKEN], state: "online" });
    expect(await get(`/tokens?token=${TOKEN}`)).toMatchObject({ shown: [{}, {}], stored: [] });
  });

  it("tells what was asked for, in full and in short", async () => {
    await using controlled = await startControlled();
    const { simulator, client, get } = controlled;
    simulator.devices.bad(aToken(2));
    for (const n of [1, 2, 1]) await client.push(aToken(n));
    expect(await get(`/ledger?token=${aToken(1)}`)).toMatchObject({
      pushes: [{ status: 200 }, { status: 200 }],
    });
    expect(await get("/ledger")).toEqual({
      tokens: { [aToken(1)]: { asked: 2, processed: 2 }, [aToken(2)]: { asked: 1, processed: 0 } },
      unrecorded: 0,
    });
    expect(await get("/log?from=2")).toMatchObject({ pushes: [{ token: aToken(1) }], next: 3 });
    expect(await get("/stats")).toMatchObject({ pushes: 3, answers: { "200": 2, "400 BadDeviceToken": 1 } });
    expect(await get("/connections")).toMatchObject([
      { id: 1, state: "open", pushes: 3, keyId: "KEYID12345" },
    ]);
    expect(await get("/ca")).toEqual({ ca: simulator.ca, url: simulator.url });
  });

  it("shows no provider token with the connections", async () => {
    await using controlled = await startControlled();
    await controlled.client.push(TOKEN);
    expect(JSON.stringify(await controlled.get("/connections"))).not.toContain("bearer");
  });

  it("changes behaviour and does what can be done to connections", async () => {
    await using controlled = await startControlled();
    const { simulator, client, get, send } = controlled;
    await client.push(TOKEN);
    await send("/behaviour", {
      streamLimit: 7,
      throttle: { burst: 1, refillMs: 5 },
      badTokensPerConnection: "unlimited",
    });
    expect(await get("/behaviour")).toMatchObject({ streamLimit: 7, throttle: { burst: 1, refillMs: 5 } });
    await send("/freeze", { connection: 1 });
    expect(simulator.connections[0]?.state).toBe("frozen");
    await send("/thaw");
    expect(simulator.connections[0]?.state).toBe("open");
    await send("/reset-streams", { code: "CANCEL" });
    await send("/goaway", { reason: "Shutdown", close: "never" });
    await expect.poll(() => client.goaways).toHaveLength(1);
    await send("/shutdown");
    await expect.poll(() => simulator.connections[0]?.state).toBe("closed");
    await send("/connect-faults", { fault: { kind: "close" }, times: 1 });
    await send("/connect-faults", {}, "DELETE");
    await send("/reset");
    expect(await get("/stats")).toMatchObject({ pushes: 0 });
    expect(await get("/behaviour")).toMatchObject({ streamLimit: 1_000, throttle: "none" });
    await send("/reset-connections");
    await send("/stop");
    expect(await send("/start")).toEqual({ status: 200, body: {} });
  });

  it.each([
    ["no JSON", "/rules", "{", "body is no JSON"],
    ["no object", "/rules", [], "body: an object expected"],
    ["an unknown field", "/rules", { foult: {} }, "body.foult: no such field"],
    [
      "an unknown fault",
      "/rules",
      { fault: { kind: "flood" } },
      "body.fault.kind: answer or reset-stream or",
    ],
    [
      "a status that cannot be sent",
      "/rules",
      { fault: { kind: "answer", status: 101 } },
      "body.fault.status: a whole number from 200 to 599",
    ],
    [
      "a header that cannot be sent",
      "/rules",
      { fault: { kind: "answer", status: 500, headers: { Upgrade: "x" } } },
      "body.fault.headers.Upgrade: response headers in lower case",
    ],
    ["a field of another type", "/rules", { times: "two" }, "body.times: a whole number"],
    ["a missing field", "/tokens", { state: "bad" }, "body.tokens: a list expected"],
    ["an unknown word", "/tokens", { tokens: [], state: "odd" }, "body.state: registered or dead or"],
    ["an unknown code", "/goaway", { code: "BYE" }, "body.code: a whole number"],
    [
      "a latency of no kind",
      "/behaviour",
      { latency: { ms: 5 } },
      "body.latency.kind: fixed or uniform or log-normal",
    ],
  ])("refuses %s and says why", async (_what, path, body, because) => {
    await using controlled = await startControlled();
    const reply = await controlled.send(path, body);
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body)).toContain(because);
  });

  it("names its paths to whoever asks for another", async () => {
    await using controlled = await startControlled();
    const answer = JSON.stringify(await controlled.get("/nothing"));
    for (const path of ["POST /_sim/rules", "GET /_sim/stats"]) expect(answer).toContain(path);
  });
});
