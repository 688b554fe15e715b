import { describe, expect, it } from "vitest";

import { type Fault, type Rule } from "../index.ts";
import { aToken, startPair, TOKEN } from "../testing/client.ts";
import { ManualClock } from "../testing/manual-clock.ts";

describe("a fault", () => {
  it.each<[string, Fault, object]>([
    [
      "an error of Apple",
      { kind: "answer", status: 500, reason: "InternalServerError" },
      { status: 500, body: '{"reason":"InternalServerError"}' },
    ],
    [
      "a gateway's page",
      { kind: "answer", status: 502, body: "<html>", headers: { "content-type": "text/html" } },
      { status: 502, body: "<html>", headers: { "content-type": "text/html" } },
    ],
    [
      "an empty 503",
      { kind: "answer", status: 503, headers: { "retry-after": "2" } },
      { status: 503, body: "", headers: { "retry-after": "2" } },
    ],
    [
      "a reset with a code of its own",
      { kind: "reset-stream", code: "ENHANCE_YOUR_CALM" },
      { status: undefined, rstCode: 11 },
    ],
    ["a refusal of the stream", { kind: "reset-stream", code: 7 }, { status: undefined, rstCode: 7 }],
    ["a shutdown", { kind: "shutdown" }, { status: 503, body: '{"reason":"Shutdown"}' }],
    ["a reset of the connection", { kind: "reset-connection" }, { status: undefined }],
  ])("can be %s", async (_what, fault, seen) => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ fault });
    expect(await client.push(TOKEN)).toMatchObject(seen);
    expect(simulator.ledger.processedFor(TOKEN)).toEqual([]);
  });

  it("can be response headers without an end", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ fault: { kind: "headers-only", processed: true } });
    const push = client.session.request({
      ":method": "POST",
      ":path": `/3/device/${TOKEN}`,
      ...pair.headers,
    });
    const status = await new Promise((resolve) => {
      push.once("response", (headers) => resolve(headers[":status"]));
      push.end("{}");
    });
    expect(status).toBe(200);
    expect(push.readableEnded).toBe(false);
    expect(simulator.ledger.processedFor(TOKEN)).toMatchObject([{ state: "pending", status: undefined }]);
  });

  it("can be silence, in which the push is taken or not", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ match: { token: aToken(1) }, fault: { kind: "no-answer", processed: true } });
    simulator.rules.add({ match: { token: aToken(2) }, fault: { kind: "no-answer" } });
    const silent = [client.push(aToken(1)), client.push(aToken(2))];
    await expect.poll(() => simulator.ledger.pushes.length).toBe(2);
    expect(simulator.ledger.processedFor(aToken(1))).toHaveLength(1);
    client.session.destroy();
    expect((await Promise.all(silent)).map(({ status }) => status)).toEqual([undefined, undefined]);
    await expect.poll(() => simulator.stats().cut).toBe(2);
    expect(simulator.ledger.processedFor(aToken(2))).toEqual([]);
  });

  it("with an answer says whether the push was taken all the same, and it is taken once", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ times: 1, fault: { kind: "answer", status: 500, processed: true } });
    simulator.rules.add({ times: 1, fault: { kind: "answer", status: 200, processed: true } });
    await client.push(aToken(1));
    await client.push(aToken(2));
    expect(simulator.devices.shownOn(aToken(1))).toHaveLength(1);
    expect(simulator.devices.shownOn(aToken(2))).toHaveLength(1);
  });

  it("that ends the connection cuts off the pushes beside it", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    await client.push(TOKEN);
    simulator.rules.add({ match: { tokenPrefix: "00" }, latency: { kind: "fixed", ms: 10 } });
    simulator.rules.add({ match: { token: TOKEN }, fault: { kind: "reset-connection" } });
    const beside = client.push(aToken(1));
    await expect.poll(() => clock.sleepers).toBe(1);
    await client.push(TOKEN);
    expect(await beside).toMatchObject({ status: undefined });
    clock.advance(10);
    await expect.poll(() => simulator.ledger.pushesTo(aToken(1))[0]?.state).toBe("cut");
    expect(simulator.ledger.processedFor(aToken(1))).toEqual([]);
  });
});

describe("a rule", () => {
  const broken: Fault = { kind: "answer", status: 500 };

  it.each<[string, Rule, string]>([
    ["acts on every push", { fault: broken }, "500 500 500 500"],
    ["acts so many times", { fault: broken, times: 2 }, "500 500 200 200"],
    ["lets some pass before", { fault: broken, skip: 1, times: 1 }, "200 500 200 200"],
    ["fits one token", { fault: broken, match: { token: aToken(2).toUpperCase() } }, "200 200 500 200"],
    ["fits tokens that begin alike", { fault: broken, match: { tokenPrefix: "0000" } }, "500 500 500 500"],
    ["fits a topic", { fault: broken, match: { topic: "org.example.other" } }, "200 200 200 200"],
    ["fits a push type", { fault: broken, match: { pushType: "alert" } }, "500 500 500 500"],
    ["fits a connection", { fault: broken, match: { connection: 2 } }, "200 200 200 200"],
    ["acts never with a share of 0", { fault: broken, share: 0 }, "200 200 200 200"],
    ["acts always with a share of 1", { fault: broken, share: 1 }, "500 500 500 500"],
  ])("%s", async (_what, rule, answers) => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    const added = simulator.rules.add(rule);
    const statuses: (number | undefined)[] = [];
    for (const n of [0, 1, 2, 3]) statuses.push((await client.push(aToken(n))).status);
    expect(statuses.join(" ")).toBe(answers);
    expect(added.hits).toBe(statuses.filter((status) => status === 500).length);
  });

  it("gives way to refusals, unless it acts on arrival", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.devices.bad(TOKEN);
    simulator.rules.add({ fault: broken });
    expect(await client.push(TOKEN)).toMatchObject({ status: 400 });
    simulator.rules.add({ fault: broken, at: "arrival" });
    expect(await client.push(TOKEN)).toMatchObject({ status: 500 });
  });

  it("that was removed, or all of them, act no more", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.rules.add({ fault: broken }).remove();
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    simulator.rules.add({ fault: broken });
    simulator.rules.clear();
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("with a share chooses the same pushes for the same seed", async () => {
    const run = async (seed: number): Promise<string> => {
      await using pair = await startPair({ seed });
      pair.simulator.rules.add({ fault: broken, share: 0.5 });
      const statuses: (number | undefined)[] = [];
      for (let n = 0; n < 20; n += 1)
        statuses.push(
          (
            await pair.client.push(TOKEN, {
              "apns-id": `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
            })
          ).status,
        );
      return statuses.join(" ");
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
    expect(first).toContain("500");
    expect(first).toContain("200");
  });
});

describe("latency", () => {
  it("delays every answer by the injected clock", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { latency: { kind: "fixed", ms: 200 } } });
    const { simulator, client } = pair;
    const seen = client.push(TOKEN);
    await expect.poll(() => clock.sleepers).toBe(1);
    clock.advance(199);
    expect(simulator.ledger.pushesTo(TOKEN)[0]?.state).toBe("pending");
    clock.advance(1);
    expect(await seen).toMatchObject({ status: 200 });
    const [push] = simulator.ledger.pushesTo(TOKEN);
    expect((push?.settledAt ?? 0) - (push?.receivedAt ?? 0)).toBe(200);
  });

  it("of a rule takes the place of the usual one", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { latency: { kind: "fixed", ms: 200 } } });
    const { simulator, client } = pair;
    simulator.rules.add({ latency: { kind: "fixed", ms: 0 } });
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("can be endless for a share of the pushes", async () => {
    await using pair = await startPair({ behaviour: { stallShare: 1 } });
    const { simulator, client } = pair;
    const never = client.push(TOKEN);
    await expect.poll(() => simulator.ledger.pushes.length).toBe(1);
    simulator.change({ stallShare: 0 });
    expect(await client.push(aToken(1))).toMatchObject({ status: 200 });
    client.session.destroy();
    expect(await never).toMatchObject({ status: undefined });
    expect(simulator.ledger.processedFor(TOKEN)).toEqual([]);
  });
});
