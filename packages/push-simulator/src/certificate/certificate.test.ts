import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:http2";

import { describe, expect, it } from "vitest";

import { startApnsSimulator } from "../index.ts";
import { connectTo, TOKEN } from "../testing/client.ts";
import { createAuthority, extendedKeyUsage, subjectNames } from "./issue.ts";

describe("the certificate made at the start", () => {
  it("is valid for localhost and the loopback addresses", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    const session = connect(`https://127.0.0.1:${simulator.port}`, { ca: simulator.ca });
    await once(session, "remoteSettings");
    session.destroy();
    expect(simulator.connections).toHaveLength(2);
  });

  it("is refused by clients that expect a name it does not have", async () => {
    await using simulator = await startApnsSimulator({ names: ["other.example"] });
    const session = connect(simulator.url, { ca: simulator.ca });
    const error = await new Promise((resolve) => session.once("error", resolve));
    expect(error).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("can stand for Apple's host", async () => {
    await using simulator = await startApnsSimulator({ names: ["api.push.apple.com"] });
    const session = connect(simulator.url, { ca: simulator.ca, servername: "api.push.apple.com" });
    await once(session, "remoteSettings");
    expect(simulator.connections[0]?.servername).toBe("api.push.apple.com");
    session.destroy();
  });

  it("holds names and addresses of both families, signed by the authority", () => {
    const authority = createAuthority("an authority");
    const { cert } = authority.issue({ commonName: "x" }, [
      subjectNames(["one.example", "192.0.2.1", "2001:db8::1:2"]),
      extendedKeyUsage(1),
    ]);
    const read = new X509Certificate(cert);
    expect(read.subjectAltName).toBe(
      "DNS:one.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:1:2",
    );
    expect(read.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(new X509Certificate(authority.cert).ca).toBe(true);
    expect(read.ca).toBe(false);
  });
});
