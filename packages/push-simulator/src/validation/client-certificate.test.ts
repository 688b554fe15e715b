import { describe, expect, it } from "vitest";

import { createClientAuthority, startApnsSimulator } from "../index.ts";
import { connectTo, TOKEN } from "../testing/client.ts";

const authority = createClientAuthority();
const certificate = authority.issue({ topic: "org.example.app", environment: "production" });
const withoutTopic = { authorization: undefined, "apns-topic": undefined };

describe("a client certificate", () => {
  it("takes the place of the provider token and names the topic", async () => {
    await using simulator = await startApnsSimulator({ clientCa: authority.ca });
    await using client = await connectTo(simulator, certificate);
    expect(client.limits).toEqual([1_000]);
    expect(await client.push(TOKEN, withoutTopic)).toMatchObject({ status: 200 });
    expect(simulator.ledger.pushesTo(TOKEN)[0]?.topic).toBe("org.example.app");
  });

  it("is for its app only", async () => {
    await using simulator = await startApnsSimulator({ clientCa: authority.ca });
    await using client = await connectTo(simulator, certificate);
    const seen = await client.push(TOKEN, { "apns-topic": "org.example.other" });
    expect(seen.body).toBe('{"reason":"TopicDisallowed"}');
    const call = { "apns-topic": "org.example.app.voip", "apns-push-type": "voip" };
    expect(await client.push(TOKEN, call)).toMatchObject({ status: 200 });
  });

  it("of the other environment is refused", async () => {
    await using simulator = await startApnsSimulator({ clientCa: authority.ca, environment: "sandbox" });
    await using client = await connectTo(simulator, certificate);
    expect((await client.push(TOKEN, withoutTopic)).body).toBe('{"reason":"BadCertificateEnvironment"}');
  });

  it("of an authority nobody trusts is refused with a reason", async () => {
    await using simulator = await startApnsSimulator({ clientCa: authority.ca });
    await using client = await connectTo(
      simulator,
      createClientAuthority().issue({ topic: "org.example.app" }),
    );
    expect((await client.push(TOKEN, withoutTopic)).body).toBe('{"reason":"BadCertificate"}');
  });

  it("need not be shown: then a token is asked for", async () => {
    await using simulator = await startApnsSimulator({ clientCa: authority.ca });
    await using client = await connectTo(simulator);
    expect(client.limits).toEqual([1]);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    expect((await client.push(TOKEN, withoutTopic)).body).toBe('{"reason":"MissingProviderToken"}');
  });
});
