import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer, type DomainServer, serveDomain } from "./testing/a-peer.ts";

const DOMAIN = "server.example";
const result = (id: string): string => `<iq type='result' id='${id}' from='${HOSTNAME}' to='${DOMAIN}'/>`;

/** A front, a component, and a peer that takes replies at a server of its own. */
async function aRegion() {
  const stack = new AsyncDisposableStack();
  const rig = stack.use(await aFront());
  const component = stack.use(await aComponent(rig.front));
  const { certificate: authority } = rig.authority;
  const certificate = rig.authority.issue({ names: [DOMAIN] });
  const peer = stack.use(
    await APeer.proven({ port: rig.port, from: DOMAIN, to: HOSTNAME, authority, certificate }),
  );
  const ask = async (id: string): Promise<void> => {
    peer.say(`<iq type='set' id='${id}' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`);
    await component.hears(`id='${id}'`);
    component.say(result(id));
  };
  return {
    rig,
    peer,
    component,
    authority,
    certificate,
    ask,
    stack,
    [Symbol.asyncDispose]: async () => stack.disposeAsync(),
  };
}

type Region = Awaited<ReturnType<typeof aRegion>>;

const nothing = async (): Promise<void> => undefined;

/** A stream on which everything is confirmed, and that is over then: the next one is the server's second. */
async function confirmOnce({ rig, ask }: Region, server: DomainServer): Promise<void> {
  await ask("confirmed");
  await expect.poll(() => server.heard()).toContain(result("confirmed"));
  for (let second = 0; second < 12; second += 1) await rig.clock.advance(seconds(1));
  server.cut();
  await expect.poll(() => rig.front.reading().outbound).toBe(0);
}

describe("a stream of ours", () => {
  it.each([
    ["stops confirming stanzas (XEP-0198)", { counted: 1 }, confirmOnce],
    ["answers no ping (XEP-0199)", {}, nothing],
  ])("whose peer %s is given up within 30 s, and its replies go over a new one", async (_, kind, prepare) => {
    await using region = await aRegion();
    const { rig, authority, certificate, ask } = region;
    // The second connection never confirms anything, like a host that has been unplugged.
    await using server = await serveDomain({ domain: DOMAIN, certificate, authority, ...kind });
    rig.know(DOMAIN, server.port);
    await prepare(region, server);
    await ask("lost");
    await expect.poll(() => server.heard()).toContain(result("lost"));
    const before = server.connections();
    for (let second = 0; second < 29; second += 1) await rig.clock.advance(seconds(1));
    await expect.poll(() => server.connections()).toBe(before + 1);
    await expect.poll(() => server.heard().split(result("lost")).length - 1).toBe(2);
    expect(server.heard()).not.toMatch(/confirmed[^]*confirmed/);
  });

  it("goes on if its peer answers pings, on the stream that the peer has opened", async () => {
    await using region = await aRegion();
    const { rig, peer, authority, certificate, ask } = region;
    await using server = await serveDomain({ domain: DOMAIN, certificate, authority });
    rig.know(DOMAIN, server.port);
    await ask("one");
    await expect.poll(() => server.heard()).toContain(result("one"));
    for (let second = 0; second < 7; second += 1) await rig.clock.advance(seconds(1));
    await expect.poll(() => server.heard()).toContain("urn:xmpp:ping");
    const [, id = ""] = /<iq type='get' id='([^']*)'/.exec(server.heard()) ?? [];
    peer.say(`<iq type='result' id='${id}' from='${DOMAIN}' to='${HOSTNAME}'/>`);
    peer.say(`<iq type='get' id='barrier' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`);
    await region.component.hears("id='barrier'");
    for (let second = 0; second < 20; second += 1) await rig.clock.advance(seconds(1));
    expect(server.connections()).toBe(1);
    expect(region.component.heard()).not.toContain(id);
    expect(server.heard().split("urn:xmpp:ping").length - 1).toBe(1);
  });

  it("is opened to the next address if the first one shows a certificate of somebody else", async () => {
    await using region = await aRegion();
    const { rig, authority, certificate, ask } = region;
    const other = rig.authority.issue({ names: ["other.example"] });
    await using wrong = await serveDomain({ domain: DOMAIN, certificate: other, authority });
    await using right = await serveDomain({ domain: DOMAIN, certificate, authority });
    rig.know(DOMAIN, wrong.port, right.port);
    await ask("one");
    await expect.poll(() => right.heard()).toContain(result("one"));
    expect(wrong.connections()).toBe(1);
    expect(wrong.heard()).not.toContain("iq");
  });
});
