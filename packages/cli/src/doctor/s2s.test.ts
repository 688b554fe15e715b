import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { systemClock } from "@reveille/runtime";
import { ManualClock } from "@reveille/testkit";
import { hours, later, millis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { checkS2s } from "./s2s.ts";
import { aDns, aHost, anIdentity, aDoctorContext, type TestHost } from "./testing/a-doctor-context.ts";
import { listening } from "./testing/listening.ts";

const containing = (text: string): unknown => expect.stringContaining(text);

describe("the doctor, coming in by s2s", () => {
  const SRV = (service: string, port: number): string =>
    `--srv-host=${service}._tcp.eu.push.example,s1.example,${port},10,0`;
  const ADDRESS = "--address=/s1.example/127.0.0.1";

  async function directTls(host: TestHost, name: string, purposes: string) {
    const identity = await anIdentity(host.folder, name, purposes);
    return {
      server: await listening(createTlsServer({ ...identity, ALPNProtocols: ["xmpp-server"] })),
      ...identity,
    };
  }

  async function look(
    host: TestHost,
    records: readonly string[],
    parts: Partial<Parameters<typeof checkS2s>[0]> = {},
  ) {
    await using dns = await aDns(records);
    return await checkS2s(aDoctorContext(host.config, { dnsServers: [dns.address], ...parts }));
  }

  it.each<[string, string, string, boolean, "ok" | "warn" | "fail", string]>([
    [
      "is in order",
      "eu.push.example",
      "serverAuth,clientAuth",
      true,
      "ok",
      "certificate for eu.push.example",
    ],
    ["is nobody's", "eu.push.example", "serverAuth,clientAuth", false, "fail", "not trusted"],
    ["is for another name", "s1.example", "serverAuth,clientAuth", true, "fail", "not for eu.push.example"],
    ["is for servers alone", "eu.push.example", "serverAuth", true, "warn", "no clientAuth"],
  ])("sees that a certificate %s", async (_what, ...row) => {
    const [name, purposes, isTrusted, kind, text] = row;
    await using host = await aHost();
    const { server, cert } = await directTls(host, name, purposes);
    await using open = server;
    const findings = await look(
      host,
      [SRV("_xmpps-server", open.port), ADDRESS],
      isTrusted ? { authorities: cert } : {},
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        item: `s2s direct TLS at s1.example:${open.port}`,
        kind,
        text: containing(text),
      }),
    );
  });

  it("asks every address of a target, not the first alone", async () => {
    await using host = await aHost();
    const { server, cert } = await directTls(host, "eu.push.example", "serverAuth,clientAuth");
    await using open = server;
    const records = [SRV("_xmpps-server", open.port), "--host-record=s1.example,127.0.0.1"];
    const findings = await look(host, [...records, "--host-record=s1.example,127.0.0.2"], {
      authorities: cert,
    });
    const item = `s2s direct TLS at s1.example:${open.port}`;
    expect(findings).toContainEqual(expect.objectContaining({ kind: "ok", item: `${item} (127.0.0.1)` }));
    expect(findings).toContainEqual(
      expect.objectContaining({
        kind: "fail",
        item: `${item} (127.0.0.2)`,
        text: containing("ECONNREFUSED"),
        cure: containing("open it in the firewall"),
      }),
    );
  });

  it("looks at the certificate of every target, not of the first alone", async () => {
    await using host = await aHost();
    const good = await directTls(host, "eu.push.example", "serverAuth,clientAuth");
    const bad = await directTls(host, "other.example", "serverAuth,clientAuth");
    await using one = good.server;
    await using other = bad.server;
    const second = `--srv-host=_xmpps-server._tcp.eu.push.example,s2.example,${other.port},20,0`;
    const records = [SRV("_xmpps-server", one.port), ADDRESS, second, "--address=/s2.example/127.0.0.1"];
    const findings = await look(host, records, { authorities: good.cert + bad.cert });
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: "ok", item: `s2s direct TLS at s1.example:${one.port}` }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({
        kind: "fail",
        item: `s2s direct TLS at s2.example:${other.port}`,
        text: containing("DNS:other.example, not for eu.push.example"),
        cure: containing("have one issued for eu.push.example"),
      }),
    );
  });

  it("sees that a certificate expires, and has expired", async () => {
    await using host = await aHost();
    const { server, cert } = await directTls(host, "eu.push.example", "serverAuth,clientAuth");
    await using open = server;
    const records = [SRV("_xmpps-server", open.port), ADDRESS];
    for (const [days, kind, text] of [
      [80, "warn", "expires in 9 days"],
      [91, "fail", "has expired"],
    ] as const) {
      const clock = new ManualClock(later(systemClock.now(), hours(24 * days)));
      const findings = await look(host, records, { clock, authorities: cert });
      expect(findings.at(-1)).toMatchObject({ kind, text: containing(text) });
    }
  });

  it("sees a name without records, a target without address, and a DNS that is away", async () => {
    await using host = await aHost();
    expect(await look(host, [])).toMatchObject([
      { kind: "fail", item: containing("SRV _xmpp-server") },
      { kind: "warn" },
    ]);
    expect(await look(host, [SRV("_xmpp-server", 5269)])).toMatchObject([
      {},
      {},
      { kind: "fail", item: containing("address of s1.example") },
      { kind: "skipped", text: "it has no address" },
    ]);
    const context = aDoctorContext(host.config, { dnsServers: ["127.0.0.1:1"], timeout: millis(500) });
    expect(await checkS2s(context)).toMatchObject([
      { kind: "fail", item: "DNS of eu.push.example", cure: containing("resolv.conf") },
    ]);
  });

  it("says that a front has no certificate, as on the first evening", async () => {
    await using host = await aHost();
    await using open = await listening(createTlsServer({ ALPNProtocols: ["xmpp-server"] }));
    const findings = await look(host, [SRV("_xmpps-server", open.port), ADDRESS]);
    expect(findings.at(-1)).toMatchObject({
      kind: "fail",
      text: "no TLS: it answers as one that has no certificate for eu.push.example",
      cure: containing("cert import"),
    });
  });

  it.each<[string, (socket: Socket) => unknown, string]>([
    [
      "has no STARTTLS",
      (socket) => socket.write("<stream:stream><stream:features></stream:features>"),
      "STARTTLS is not offered",
    ],
    [
      "does not know the domain",
      (socket) => socket.write("<stream:stream><stream:error><host-unknown/></stream:error></stream:stream>"),
      "host-unknown",
    ],
    ["hangs up", (socket) => socket.end(), "closed the connection"],
  ])("says of a server that it %s", async (_what, greet, text) => {
    await using host = await aHost();
    await using open = await listening(
      createServer((socket) => void socket.once("data", () => greet(socket))),
    );
    const findings = await look(host, [SRV("_xmpp-server", open.port), ADDRESS]);
    expect(findings.at(-1)).toMatchObject({
      kind: "fail",
      text: containing(text),
      cure: containing("s2s_ports"),
    });
  });
});
