import { startApnsSimulator } from "@reveille/push-simulator";
import { aToken, aWakeup, startProxy } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { aFolder } from "../testing/a-folder.ts";
import { anApns, countKinds, manyWakeups, whileTimePasses } from "../testing/an-apns.ts";
import { dial } from "./dial.ts";

describe("an HTTP proxy", () => {
  it("carries the connections, and is told the name of the endpoint", async () => {
    await using proxy = await startProxy();
    await using apns = await anApns({ apns: { proxy: proxy.url } });
    expect(countKinds(await Promise.all(manyWakeups(20).map(apns.services.send)))).toEqual({ delivered: 20 });
    expect(proxy.asked).toEqual(["localhost", "localhost"]);
  });

  it("that refuses is named with its status", async () => {
    await using proxy = await startProxy({ status: 403 });
    await using apns = await anApns({ apns: { proxy: proxy.url } });
    await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    expect(JSON.stringify(apns.services.health())).toMatch(/no tunnel through the proxy .*: it answered 403/);
  });

  it("that asks for a login gets the user's, and the first line of the password's file", async () => {
    await using proxy = await startProxy({ login: "me@here:sesame: open" });
    await using folder = await aFolder({ password: "sesame: open\nno more\n" });
    const url = new URL(proxy.url);
    url.username = "me@here";
    await using apns = await anApns({ apns: { proxy: url, proxyPasswordFile: folder.file("password") } });
    expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "delivered" });
  });

  it.each([
    ["no login", false, "it asks for a login; name a user in `proxy`"],
    ["the wrong one", true, "it refuses this user or password"],
  ])("that hears %s is named with the cure", async (_what, hasUser, cure) => {
    await using proxy = await startProxy({ login: "me:sesame" });
    await using folder = await aFolder({ password: "wrong" });
    const url = new URL(proxy.url);
    if (hasUser) url.username = "me";
    await using apns = await anApns({ apns: { proxy: url, proxyPasswordFile: folder.file("password") } });
    await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    expect(JSON.stringify(apns.services.health())).toContain(cure);
  });

  it("whose password's file is not there is named with that file", async () => {
    await using proxy = await startProxy({ login: "me:sesame" });
    const url = new URL(proxy.url);
    url.username = "me";
    await using apns = await anApns({ apns: { proxy: url, proxyPasswordFile: "/nowhere/password" } });
    await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    expect(JSON.stringify(apns.services.health())).toContain("the file of its password, /nowhere/password");
  });
});

describe("a host name", () => {
  it("spreads connections over its addresses", async () => {
    await using here = await startApnsSimulator({ names: ["apns.test"] });
    await using there = await startApnsSimulator({
      names: ["apns.test"],
      host: "127.0.0.2",
      port: here.port,
    });
    const endpoint = { host: "apns.test", port: here.port, tls: { ca: here.ca + there.ca } };
    const addresses = [here, there].map(({ host }) => ({ address: host, family: 4 }));
    const reached = new Set<string | undefined>();
    for (let dialled = 0; dialled < 16; dialled += 1) {
      const socket = await dial(endpoint, () => Promise.resolve(addresses), new AbortController().signal);
      reached.add(socket.remoteAddress);
      socket.destroy();
    }
    expect(reached).toEqual(new Set(["127.0.0.1", "127.0.0.2"]));
  });

  it("is resolved anew for each connection, so that pushes follow it to another address", async () => {
    await using here = await startApnsSimulator({ names: ["apns.test"] });
    await using there = await startApnsSimulator({
      names: ["apns.test"],
      host: "127.0.0.2",
      port: here.port,
    });
    await using folder = await aFolder({ "both.pem": here.ca + there.ca });
    let address = here.host;
    await using apns = await anApns({
      apns: { endpoint: new URL(`https://apns.test:${here.port}`), caFile: folder.file("both.pem") },
      services: { resolve: () => Promise.resolve([{ address, family: 4 }]) },
    });
    expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    address = there.host;
    here.goaway();
    await eventually(() => expect(there.connections).toHaveLength(2));
    expect(await apns.services.send(aWakeup({ token: aToken(1) }))).toMatchObject({ kind: "delivered" });
    expect(there.ledger.pushes).toHaveLength(1);
  });

  it("that does not resolve is named", async () => {
    await using apns = await anApns({
      apns: { endpoint: new URL("https://apns.test") },
      services: {
        resolve: () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" })),
      },
    });
    expect(await whileTimePasses(apns.clock, apns.services.send(aWakeup()))).toMatchObject({
      kind: "unreachable",
    });
    expect(JSON.stringify(apns.services.health())).toContain(
      "cannot find an address of apns.test: DNS knows no such name",
    );
  });

  it("is tried at its other addresses if one does not answer", async () => {
    await using apns = await anApns({
      services: {
        resolve: () =>
          Promise.resolve([
            { address: "127.0.0.3", family: 4 },
            { address: "127.0.0.1", family: 4 },
          ]),
      },
    });
    expect(countKinds(await Promise.all(manyWakeups(20).map(apns.services.send)))).toEqual({ delivered: 20 });
  });
});
