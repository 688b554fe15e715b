import { describe, expect, it } from "vitest";

import { aComponent, aFront, HOSTNAME } from "./testing/a-front.ts";
import { APeer, serveDomain } from "./testing/a-peer.ts";

const DOMAIN = "server.example";
const request = (id: string): string =>
  `<iq type='set' id='${id}' from='${DOMAIN}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`;
const result = (id: string): string => `<iq type='result' id='${id}' from='${HOSTNAME}' to='${DOMAIN}'/>`;

describe("a drain", () => {
  it("refuses new connections, acknowledges, closes in form, and still takes what was under way", async () => {
    await using rig = await aFront();
    const certificate = rig.authority.issue({ names: [DOMAIN] });
    const authority = rig.authority.certificate;
    await using server = await serveDomain({ domain: DOMAIN, certificate, authority });
    rig.know(DOMAIN, server.port);
    await using component = await aComponent(rig.front);
    const options = { port: rig.port, from: DOMAIN, to: HOSTNAME, certificate, authority };
    const peer = await APeer.proven(options);
    peer.say("<enable xmlns='urn:xmpp:sm:3'/>");
    peer.say(request("before"));
    await component.hears("id='before'");

    const drained = rig.front.drain();
    await peer.hears("<a xmlns='urn:xmpp:sm:3' h='1'/></stream:stream>");
    await expect(APeer.connect(options)).rejects.toThrow("ECONNREFUSED");
    peer.say(`${request("under-way")}</stream:stream>`);
    await component.hears("id='under-way'");
    await peer.closed();
    component.say(result("before") + result("under-way"));
    await expect.poll(() => server.heard()).toContain(result("under-way"));
    expect(server.heard()).toContain(result("before"));
    await rig.clock.advance(rig.retryAfter);
    await drained;
  });
});
