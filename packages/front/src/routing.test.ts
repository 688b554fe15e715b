import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { seconds } from "@reveille/wakeup";

import { aComponent, aFront, type FrontRig, HOSTNAME } from "./testing/a-front.ts";
import { APeer, serveDomain } from "./testing/a-peer.ts";

let rig: FrontRig;
beforeEach(async () => {
  rig = await aFront();
});
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

let count = 0;

/** A proven peer on a domain of its own. */
async function aPeer(bidi = true): Promise<{ readonly peer: APeer; readonly domain: string }> {
  count += 1;
  const domain = `s${count}.example`;
  const peer = await APeer.proven({
    port: rig.port,
    from: domain,
    to: HOSTNAME,
    bidi,
    authority: rig.authority.certificate,
    certificate: rig.authority.issue({ names: [domain] }),
  });
  opened.push(peer);
  return { peer, domain };
}

const request = (domain: string, id: string, content = "<a xmlns='urn:a'>text &amp; more</a>"): string =>
  `<iq type='set' id='${id}' from='juliet@${domain}/x' to='${HOSTNAME}'>${content}</iq>`;
const result = (domain: string, id: string): string =>
  `<iq type='result' id='${id}' from='${HOSTNAME}' to='juliet@${domain}/x'/>`;

describe("a request of a peer", () => {
  it("reaches the component as it was written, and the answer goes back on a bidirectional stream", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer();
    peer.say(request(domain, "one"));
    await component.hears("id='one'");
    expect(component.heard()).toContain(request(domain, "one"));
    component.say(result(domain, "one"));
    await peer.hears(result(domain, "one"));
    expect(rig.front.reading().unanswered).toBe(0);
  });

  it("keeps its meaning where it declares the namespace of its old stream, or relies on a prefix of its header", async () => {
    await using component = await aComponent(rig.front);
    const domain = "prefixed.example";
    const certificate = rig.authority.issue({ names: [domain] });
    await using peer = await APeer.secure({
      port: rig.port,
      from: domain,
      to: HOSTNAME,
      certificate,
      authority: rig.authority.certificate,
    });
    peer.authenticate();
    await peer.hears("<success");
    peer.open(` xmlns:p='urn:p' xmlns:q='urn:q'`);
    await peer.hears("</stream:features>", 2);
    peer.say(
      `<iq xmlns='jabber:server' xmlns:q='urn:own' type='set' id='ns' from='${domain}' to='${HOSTNAME}'><p:a q:b='1'/></iq>`,
    );
    peer.say(`<iq type='set' id='empty' from='${domain}' to='${HOSTNAME}'/>`);
    await component.hears("id='empty'");
    const heard = component.heard();
    expect(heard).toContain(
      `<iq xmlns:p='urn:p' xmlns:q='urn:own' type='set' id='ns' from='${domain}' to='${HOSTNAME}'><p:a q:b='1'/></iq>`,
    );
    expect(heard).toContain(
      `<iq xmlns:p='urn:p' xmlns:q='urn:q' type='set' id='empty' from='${domain}' to='${HOSTNAME}'/>`,
    );
  });

  it("is answered over a stream of our own, where the peer takes nothing on its", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer(false);
    await using server = await serveDomain({
      domain,
      certificate: rig.authority.issue({ names: [domain] }),
      authority: rig.authority.certificate,
    });
    rig.know(domain, server.port);
    for (const id of ["a", "b", "c"]) {
      peer.say(request(domain, id));
      await component.hears(`id='${id}' from='juliet@${domain}`);
      component.say(result(domain, id));
    }
    await expect
      .poll(() => ["a", "b", "c"].every((id) => server.heard().includes(result(domain, id))))
      .toBe(true);
    expect(server.connections()).toBe(1);
  });

  it("whose sender cannot be reached back is counted", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer(false);
    peer.say(request(domain, "lost"));
    await component.hears(`from='juliet@${domain}`);
    component.say(result(domain, "lost"));
    await expect
      .poll(() => rig.events.find((event) => event.kind === "peer-unreachable" && event.domain === domain))
      .toMatchObject({ because: "no address", dropped: 1 });
  });

  it("whose sender cannot be reached back loses its answer without a bounce; the component's own requests to that sender are bounced", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer(false);
    peer.say(request(domain, "lost"));
    await component.hears(`from='juliet@${domain}`);
    component.say(result(domain, "lost"));
    for (const id of ["ping-1", "ping-2"]) {
      component.say(
        `<iq type='get' id='${id}' from='${HOSTNAME}' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`,
      );
      await component.hears(
        `<iq type='error' id='${id}' from='${domain}' to='${HOSTNAME}'><error type='cancel'><remote-server-not-found `,
      );
    }
    expect(component.heard()).not.toContain("type='error' id='lost'");
  });

  it("longer than allowed is answered with `wait`, and the next one as ever", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer();
    peer.say(request(domain, "long", `<a xmlns='urn:a'>${"x".repeat(70_000)}</a>`));
    peer.say(request(domain, "next"));
    await component.hears("id='next'");
    await peer.hears("<bad-request");
    expect(peer.heard).toMatch(
      /<iq type='error' id='long' from='push\.example' to='juliet@[^']*'><error type='wait'>/,
    );
    expect(component.heard()).not.toContain("id='long'");
  });
});

describe("without a component", () => {
  it("a request waits for one, and is answered with `wait` if none comes in time", async () => {
    const { peer, domain } = await aPeer();
    peer.say(request(domain, "held"));
    await expect.poll(() => rig.front.reading().unanswered).toBe(1);
    {
      await using component = await aComponent(rig.front);
      await component.hears("id='held'");
      component.say(result(domain, "held"));
      await peer.hears(result(domain, "held"));
    }
    await expect.poll(() => rig.front.reading().components).toBe(0);
    peer.say(request(domain, "late"));
    await expect.poll(() => rig.front.reading().unanswered).toBe(1);
    await rig.clock.advance(seconds(6));
    await peer.hears("<remote-server-timeout");
    expect(rig.front.reading().unanswered).toBe(0);
  });

  it("a ping is answered by the front", async () => {
    const { peer, domain } = await aPeer();
    peer.say(`<iq type='get' id='ping' from='${domain}' to='${HOSTNAME}'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await expect(
      peer.hears(`<iq type='result' id='ping' from='${HOSTNAME}' to='${domain}'/>`),
    ).resolves.toBeUndefined();
  });

  it("what one had not answered when it went goes to the next", async () => {
    const { peer, domain } = await aPeer();
    const first = await aComponent(rig.front);
    peer.say(request(domain, "again"));
    await first.hears("id='again'");
    await first[Symbol.asyncDispose]();
    await using second = await aComponent(rig.front);
    await expect(second.hears("id='again'")).resolves.toBeUndefined();
    second.say(result(domain, "again"));
    await peer.hears(result(domain, "again"));
  });
});

describe("components", () => {
  it("share requests: the next one goes to whoever has fewer open", async () => {
    await using one = await aComponent(rig.front);
    await using other = await aComponent(rig.front);
    const { peer, domain } = await aPeer();
    for (let index = 0; index < 10; index += 1) peer.say(request(domain, `share-${index}-`));
    await expect.poll(() => (one.heard() + other.heard()).split("id='share-").length - 1).toBe(10);
    expect(one.heard().split("id='share-").length - 1).toBe(5);
  });

  it("are refused with a wrong secret, or for a host that is not ours", async () => {
    await expect(aComponent(rig.front, "wrong")).rejects.toThrow("not-authorized");
    await expect(aComponent(rig.front, "component secret", "elsewhere.example")).rejects.toThrow(
      "host-unknown",
    );
  });

  it("get back what they send to their own hostname, so that they know the loop is whole", async () => {
    await using component = await aComponent(rig.front);
    component.say(
      `<iq type='get' id='loop' from='${HOSTNAME}/health' to='${HOSTNAME}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
    await expect(component.hears("id='loop'")).resolves.toBeUndefined();
  });

  it("may not speak for anybody else", async () => {
    await using component = await aComponent(rig.front);
    const { peer, domain } = await aPeer();
    component.say(`<message id='forged' from='elsewhere.example' to='${domain}'/>`);
    component.say(`<message id='own' from='${HOSTNAME}' to='${domain}'/>`);
    await peer.hears("id='own'");
    expect(peer.heard).not.toContain("forged");
  });
});

describe("stream management", () => {
  it("counts what was taken, and acknowledges at once", async () => {
    await aComponent(rig.front).then((component) => opened.push(component));
    const { peer, domain } = await aPeer();
    peer.say("<enable xmlns='urn:xmpp:sm:3'/>");
    await peer.hears("<enabled");
    peer.say(`${request(domain, "1")}${request(domain, "2")}<r xmlns='urn:xmpp:sm:3'/>`);
    await expect(peer.hears("<a xmlns='urn:xmpp:sm:3' h='2'/>")).resolves.toBeUndefined();
  });
});

describe("time", () => {
  it("is 10 s to the end of TLS, and 30 s to a proven domain", async () => {
    const options = {
      port: rig.port,
      from: "slow.example",
      to: HOSTNAME,
      authority: rig.authority.certificate,
    };
    await using silent = await APeer.connect(options);
    await using secure = await APeer.secure(options);
    await rig.clock.advance(seconds(11));
    await silent.hears("<connection-timeout");
    expect(secure.isClosed).toBe(false);
    await rig.clock.advance(seconds(20));
    await secure.hears("<connection-timeout");
    await rig.clock.advance(seconds(6));
    await Promise.all([silent.closed(), secure.closed()]);
  });
});
