import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { aComponent, aFront, type FrontRig, HOSTNAME } from "./testing/a-front.ts";
import { APeer, type DomainServer, serveDomain } from "./testing/a-peer.ts";
import { type CertificateKind } from "./testing/certificates.ts";

const DOMAIN = "server.example";
const both: CertificateKind = { names: [DOMAIN] };

let rig: FrontRig;
beforeAll(async () => {
  rig = await aFront();
});
afterAll(async () => rig[Symbol.asyncDispose]());
const servers: DomainServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const optionsWith = (kind: CertificateKind | undefined, isDirect = false) => ({
  port: isDirect ? rig.directPort : rig.port,
  from: DOMAIN,
  to: HOSTNAME,
  isDirect,
  authority: rig.authority.certificate,
  certificate: kind === undefined ? undefined : rig.authority.issue(kind),
});

/** Claims a domain by dialback; what the front says of it. */
async function claimed(peer: APeer, domain = DOMAIN): Promise<string> {
  peer.say(`<db:result from='${domain}' to='${HOSTNAME}'>some-key</db:result>`);
  await peer.hears("<db:result");
  return /<db:result[^>]* type='(\w+)'/.exec(peer.heard)?.[1] ?? "";
}

/** A server of the domain, known to DNS. */
async function aServer(kind: CertificateKind, answer?: "valid" | "invalid"): Promise<DomainServer> {
  const server = await serveDomain({
    domain: DOMAIN,
    certificate: rig.authority.issue(kind),
    authority: rig.authority.certificate,
    ...(answer === undefined ? {} : { answer }),
  });
  servers.push(server);
  rig.know(DOMAIN, server.port);
  await rig.clock.advance(rig.retryAfter);
  return server;
}

describe.each([false, true])("a peer's certificate, direct TLS %s", (isDirect) => {
  it("proves the domain by SASL EXTERNAL if it is valid for it as a client", async () => {
    await using peer = await APeer.secure(optionsWith(both, isDirect));
    expect(peer.heard).toContain("<mechanism>EXTERNAL</mechanism>");
    peer.authenticate();
    await peer.hears("<success");
  });

  it("may name the domain by a wildcard as its whole left-most label", async () => {
    const options = optionsWith({ names: ["*.chat.example"] }, isDirect);
    await using one = await APeer.secure({ ...options, from: "one.chat.example" });
    expect(one.heard).toContain("EXTERNAL");
    await using deeper = await APeer.secure({ ...options, from: "a.one.chat.example" });
    expect(deeper.heard).not.toContain("EXTERNAL");
  });

  it.each([
    ["an SRVName of servers", `otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.${DOMAIN}`, true],
    ["an SRVName of clients", `otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-client.${DOMAIN}`, false],
    ["an XmppAddr", `otherName:1.3.6.1.5.5.7.8.5;UTF8:${DOMAIN}`, true],
    ["an XmppAddr of a user", `otherName:1.3.6.1.5.5.7.8.5;UTF8:juliet@${DOMAIN}`, false],
    ["text like one in a dNSName", `othername:XmppAddr:${DOMAIN}`, false],
  ])("may name the domain by %s", async (_, name, isProof) => {
    await using peer = await APeer.secure(optionsWith({ names: [name] }, isDirect));
    expect(peer.heard.includes("EXTERNAL")).toBe(isProof);
  });

  it.each<[string, CertificateKind | undefined]>([
    ["serverAuth only", { names: [DOMAIN], usage: "server" }],
    ["self-signed", { names: [DOMAIN], isSelfSigned: true }],
    ["self-signed, serverAuth only", { names: [DOMAIN], isSelfSigned: true, usage: "server" }],
    ["expired", { names: [DOMAIN], isExpired: true }],
    ["expired, serverAuth only", { names: [DOMAIN], isExpired: true, usage: "server" }],
    ["of another name", { names: ["other.example"] }],
    ["a partial wildcard", { names: ["s*.example"] }],
    ["a wildcard for everything", { names: ["*", "*.example"] }],
    ["none", undefined],
  ])("does not prove it if it is %s: EXTERNAL is neither offered nor accepted", async (_, kind) => {
    await using peer = await APeer.secure(optionsWith(kind, isDirect));
    expect(peer.heard).not.toContain("EXTERNAL");
    peer.authenticate(Buffer.from(DOMAIN).toString("base64"));
    await peer.hears("<failure");
    peer.say(`<iq type='set' id='1' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`);
    await peer.hears("<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>");
  });

  it("does not prove another domain that the peer names in SASL", async () => {
    await using peer = await APeer.secure(optionsWith(both, isDirect));
    peer.authenticate(Buffer.from("victim.example").toString("base64"));
    await expect(peer.hears("<failure")).resolves.toBeUndefined();
  });
});

describe("dialback", () => {
  const withoutClientUse: CertificateKind = { names: [DOMAIN], usage: "server" };

  it("proves a domain whose server confirms the key and shows a valid certificate", async () => {
    await aServer(withoutClientUse, "valid");
    await using peer = await APeer.secure(optionsWith(withoutClientUse));
    expect(await claimed(peer)).toBe("valid");
  });

  it("does not prove it if the server denies the key", async () => {
    await aServer(withoutClientUse, "invalid");
    await using peer = await APeer.secure(optionsWith(withoutClientUse));
    expect(await claimed(peer)).toBe("invalid");
  });

  it.each<[string, CertificateKind]>([
    ["self-signed", { names: [DOMAIN], isSelfSigned: true }],
    ["self-signed, serverAuth only", { names: [DOMAIN], isSelfSigned: true, usage: "server" }],
    ["expired", { names: [DOMAIN], isExpired: true }],
    ["of another name", { names: ["other.example"] }],
  ])("does not prove it if the certificate of the server is %s", async (_, kind) => {
    await aServer(kind, "valid");
    await using peer = await APeer.secure(optionsWith(undefined));
    expect(await claimed(peer)).toBe("error");
    peer.say(`<iq type='set' id='1' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`);
    await peer.hears("<not-authorized");
  });

  it("does not prove a domain that DNS does not know", async () => {
    await using peer = await APeer.secure(optionsWith(undefined));
    expect(await claimed(peer, "nowhere.example")).toBe("error");
  });

  it("needs no look-up where the certificate of the stream proves the domain", async () => {
    await using peer = await APeer.secure(optionsWith(both));
    expect(await claimed(peer)).toBe("valid");
  });

  it("is not taken in clear", async () => {
    await using peer = await APeer.connect(optionsWith(undefined));
    peer.open();
    await peer.hears("</stream:features>");
    peer.say(`<db:result from='${DOMAIN}' to='${HOSTNAME}'>key</db:result>`);
    await expect(peer.hears("<policy-violation")).resolves.toBeUndefined();
  });

  it("confirms keys that a front with the same secret made, and no others", async () => {
    const server = await aServer(withoutClientUse, "valid");
    await using first = await APeer.secure(optionsWith(undefined));
    expect(await claimed(first)).toBe("valid");
    const [, key = ""] = /<db:result[^>]*>(\w+)<\/db:result>/.exec(server.heard()) ?? [];
    await using asker = await APeer.secure(optionsWith(undefined));
    const ask = (id: string, text: string) =>
      asker.say(`<db:verify from='${DOMAIN}' to='${HOSTNAME}' id='${id}'>${text}</db:verify>`);
    ask("s1", key);
    await asker.hears("type='valid'");
    ask("s2", key);
    await asker.hears("type='invalid'");
    ask("s1", `${key}0`);
    await asker.hears("type='invalid'", 2);
  });
});

describe("a proven peer", () => {
  const proven = async (): Promise<APeer> => APeer.proven({ ...optionsWith(both), bidi: true });

  it.each([
    ["another domain", `from='juliet@victim.example'`, "invalid-from"],
    ["no sender", "", "invalid-from"],
    ["a subdomain", `from='sub.${DOMAIN}'`, "invalid-from"],
  ])("ends its stream with a stanza from %s", async (_, from, condition) => {
    await using component = await aComponent(rig.front);
    await using peer = await proven();
    peer.say(`<message ${from} to='${HOSTNAME}' id='forged'><body>x</body></message>`);
    await peer.hears(`<${condition}`);
    expect(component.heard()).not.toContain("forged");
  });

  it("ends its stream with a stanza to a host that is not ours", async () => {
    await using peer = await proven();
    peer.say(`<iq type='get' id='1' from='${DOMAIN}' to='elsewhere.example'><a xmlns='urn:a'/></iq>`);
    await expect(peer.hears("<host-unknown")).resolves.toBeUndefined();
  });

  it("may spell its domain in capitals and with a final dot", async () => {
    await using component = await aComponent(rig.front);
    await using peer = await proven();
    peer.say(`<iq type='set' id='spelt' from='Server.EXAMPLE./x' to='PUSH.example'><a xmlns='urn:a'/></iq>`);
    await expect(component.hears("id='spelt'")).resolves.toBeUndefined();
  });
});

describe("the id of a stream", () => {
  it("is a new one after TLS, and after SASL (RFC 6120 §4.3.3)", async () => {
    await using peer = await APeer.connect(optionsWith(both));
    peer.open();
    await peer.hears("</stream:features>");
    const idsIn = (text: string) =>
      [...text.matchAll(/<stream:stream[^>]* id='([^']*)'/g)].map(([, id]) => id);
    const inClear = idsIn(peer.heard);
    peer.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await peer.hears("<proceed");
    await peer.handshake();
    peer.open();
    await peer.hears("</stream:features>");
    peer.authenticate();
    await peer.hears("<success");
    peer.open();
    await peer.hears("</stream:features>", 2);
    expect(new Set([...inClear, ...idsIn(peer.heard)]).size).toBe(3);
  });
});

describe("a stream in clear", () => {
  it("is offered STARTTLS and nothing else, and takes nothing else", async () => {
    await using peer = await APeer.connect(optionsWith(both));
    peer.open();
    await peer.hears("</stream:features>");
    expect(peer.heard).toContain("<required/>");
    peer.authenticate();
    await peer.hears("<policy-violation");
  });

  it("loses what came in clear behind the request for TLS", async () => {
    await using peer = await APeer.connect(optionsWith(both));
    peer.open();
    await peer.hears("</stream:features>");
    peer.say(
      `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><db:result from='${DOMAIN}' to='${HOSTNAME}'>key</db:result>`,
    );
    await peer.hears("<proceed");
    expect(peer.heard).not.toContain("db:result");
  });

  it("is answered `host-unknown` for a name that is not ours", async () => {
    await using peer = await APeer.connect({ ...optionsWith(both), to: "elsewhere.example" });
    peer.open();
    await peer.hears("<host-unknown");
    await expect(peer.hears("</stream:stream>")).resolves.toBeUndefined();
  });

  it.each([
    ["not XML", "GET / HTTP/1.1\r\n\r\n", "not-well-formed"],
    ["a document type", "<?xml version='1.0'?><!DOCTYPE a>", "restricted-xml"],
    [
      "another namespace",
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='push.example' version='1.0'>",
      "invalid-namespace",
    ],
    [
      "no version",
      "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='push.example'>",
      "unsupported-version",
    ],
  ])("that begins with %s ends with a stream error in a stream", async (_, text, condition) => {
    await using peer = await APeer.connect(optionsWith(both));
    peer.say(text);
    await peer.hears(`<${condition}`);
    expect(peer.heard).toContain("<stream:stream");
  });
});
