import { seconds } from "@reveille/wakeup";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ElementReader, type StreamElement } from "./stream/element-reader.ts";
import { type AComponent, aComponent, aFront, type FrontRig, HOSTNAME } from "./testing/a-front.ts";
import { APeer, type PeerOptions } from "./testing/a-peer.ts";

const EVIL = "evil.example";
const GOOD = "good.example";

let rig: FrontRig;
let component: AComponent;
beforeEach(async () => {
  rig = await aFront();
  component = await aComponent(rig.front);
});
afterEach(async () => {
  await component[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

const optionsOf = (from: string): PeerOptions => ({
  port: rig.port,
  from,
  to: HOSTNAME,
  authority: rig.authority.certificate,
  certificate: rig.authority.issue({ names: [from] }),
});
const proven = async (from: string): Promise<APeer> => APeer.proven({ ...optionsOf(from), bidi: true });
const request = (from: string, id: string): string =>
  `<iq type='set' id='${id}' from='${from}' to='${HOSTNAME}'><a xmlns='urn:a'/></iq>`;
const result = (to: string, id: string): string =>
  `<iq type='result' id='${id}' from='${HOSTNAME}' to='${to}'/>`;

describe("a proven peer that is hostile", () => {
  const addresses = `from='${EVIL}' to='${HOSTNAME}'`;
  it.each([
    ["no name", `<a: xmlns:a='jabber:server' xmlns='x' ${addresses}></a:>`],
    ["a name that is none", `<a:1b xmlns:a='jabber:server' ${addresses}></a:1b>`],
    ["a name with a dash first", `<a:-x xmlns:a='jabber:server' ${addresses}/>`],
    ["the name of the handshake", `<handshake ${addresses}/>`],
    ["another name", `<stream ${addresses}/>`],
  ])("has nothing passed on that is no stanza: %s", async (_what, xml) => {
    await using peer = await proven(EVIL);
    await using other = await proven(GOOD);
    peer.say(xml);
    await peer.hears("<stream:error>");
    other.say(request(GOOD, "after"));
    await component.hears("id='after'");
    expect(component.isClosed()).toBe(false);
    expect(component.heard().split("<handshake/>").at(-1)).toBe(request(GOOD, "after"));
  });

  it("has a stanza with a prefix passed on in the namespace of components", async () => {
    await using peer = await proven(EVIL);
    peer.say(`<iqx:iq xmlns:iqx='jabber:server' type='set' id='p' ${addresses}><a xmlns='urn:a'/></iqx:iq>`);
    await component.hears("id='p'");
    expect(component.heard()).toContain(
      `<iq xmlns:iqx='jabber:server' type='set' id='p' ${addresses}><a xmlns='urn:a'/></iq>`,
    );
  });

  it.each([
    ["an unbound prefix of an element", "<x:a/>"],
    ["an unbound prefix of an attribute", "<a xmlns='urn:a' x:b=''/>"],
    ["a prefix that is unbound again", "<a xmlns:x='urn:x'><b xmlns:x=''/></a>"],
    ["a rebound `xml`", "<a xmlns:xml='urn:x'/>"],
    ["a name with two colons", "<x:a:b xmlns:x='urn:x'/>"],
    ["one attribute under two prefixes", "<a xmlns:x='urn:x' xmlns:y='urn:x' x:b='' y:b=''/>"],
    [
      "65 attributes",
      `<a xmlns='urn:a' ${Array.from({ length: 65 }, (_none, at) => `a${at}=''`).join(" ")}/>`,
    ],
  ])("has a stanza with %s answered with `wait`, and goes on", async (_what, content) => {
    await using peer = await proven(EVIL);
    peer.say(`<iq type='set' id='faulty' ${addresses}>${content}</iq>${request(EVIL, "next")}`);
    await component.hears("id='next'");
    await peer.hears("<bad-request");
    expect(component.heard()).not.toContain("faulty");
  });

  it("is refused with a header full of declarations, which every stanza would be passed on with", async () => {
    await using peer = await APeer.connect(optionsOf(EVIL));
    peer.open(Array.from({ length: 50 }, (_none, at) => ` xmlns:p${at}='urn:${"x".repeat(50)}'`).join(""));
    await expect(peer.hears("<policy-violation")).resolves.toBeUndefined();
  });

  it("keeps nobody's requests open by repeating one id", async () => {
    await using peer = await proven(EVIL);
    await using other = await proven(GOOD);
    for (let round = 0; round < 4; round += 1) {
      peer.say(request(EVIL, "same"));
      await component.hears("id='same'", round + 1);
      if (round === 0) {
        other.say(request(GOOD, "waits"));
        await component.hears("id='waits'");
      }
      await rig.clock.advance(seconds(9));
    }
    await expect(other.hears("<remote-server-timeout")).resolves.toBeUndefined();
  });

  it("ends its stream with claims of domains that come to nothing", async () => {
    await using peer = await APeer.secure(optionsOf(EVIL));
    for (let at = 0; at < 12; at += 1)
      peer.say(`<db:result from='d${at}.nowhere.example' to='${HOSTNAME}'>key</db:result>`);
    await expect(peer.hears("<policy-violation")).resolves.toBeUndefined();
  });
});

describe("a reply", () => {
  it("goes to the newest stream of its peer, since an older one may be dead", async () => {
    await using old = await proven(GOOD);
    await using young = await proven(GOOD);
    old.say(request(GOOD, "one"));
    await component.hears("id='one'");
    component.say(result(GOOD, "one"));
    await young.hears(result(GOOD, "one"));
    expect(old.heard).not.toContain("id='one'");
  });

  it("that comes after the front has answered in its place is dropped", async () => {
    await using peer = await proven(GOOD);
    peer.say(request(GOOD, "slow"));
    await component.hears("id='slow'");
    await rig.clock.advance(seconds(26));
    await peer.hears("<remote-server-timeout");
    component.say(result(GOOD, "slow"));
    peer.say(request(GOOD, "next"));
    await component.hears("id='next'");
    component.say(result(GOOD, "next"));
    await peer.hears(result(GOOD, "next"));
    expect(peer.heard).not.toContain("type='result' id='slow'");
  });
});

describe("certificates that are replaced", () => {
  it("are what peers see that ask for no name, too; a hostname that is gone takes its components along", async () => {
    const other = "other.example";
    rig.front.adopt({
      certificates: new Map([[other, rig.authority.issue({ names: [other] })]]),
      authorities: [rig.authority.certificate],
    });
    await expect.poll(() => component.heard()).toContain("</stream:stream>");
    await using peer = await APeer.connect({ ...optionsOf(GOOD), to: other });
    peer.open();
    await expect(peer.hears("<starttls")).resolves.toBeUndefined();
  });
});

describe("the reader of elements", () => {
  const longest = 1_000;
  const HEADER = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>";

  function reader() {
    const elements: StreamElement[] = [];
    const read = new ElementReader(
      { header: () => undefined, element: (element) => void elements.push(element) },
      longest,
    );
    return { read, elements };
  }

  it.each([
    ["a tag of the header", "<stream:stream a='"],
    ["a tag of a stanza", `${HEADER}<iq a='`],
    ["a tag in a stanza", `${HEADER}<iq><b a='`],
    ["text in a stanza", `${HEADER}<iq><b>`],
  ])("keeps no more than an element may be long of %s that does not end", (_what, begin) => {
    const { read } = reader();
    read.write(begin);
    for (let round = 0; round < 1_000; round += 1) read.write("x".repeat(100));
    expect(read.kept).toBeLessThanOrEqual(longest + 100);
  });

  it("reads on behind what was too long", () => {
    const { read, elements } = reader();
    read.write(HEADER);
    const long = "x".repeat(5_000);
    for (const xml of [
      `<iq a='${long}'/>`,
      `<iq><b a='${long}'/></iq>`,
      `<iq>${long}</iq>`,
      "<iq id='next'/>",
    ])
      for (const chunk of xml.match(/.{1,300}/g) ?? []) read.write(chunk);
    expect(elements.map(({ xml }) => xml)).toEqual([undefined, undefined, undefined, "<iq id='next'/>"]);
  });

  it("gives the text of an element as it was written, whatever the chunks", () => {
    for (let size = 1; size < 40; size += 1) {
      const { read, elements } = reader();
      const stanza = "<iq id='1' to='a'><b>text &amp; more</b><c/></iq>";
      const xml = `${HEADER}${stanza}\n <message/>${stanza}`;
      for (let at = 0; at < xml.length; at += size) read.write(xml.slice(at, at + size));
      expect(elements.map((element) => element.xml)).toEqual([stanza, "<message/>", stanza]);
      expect(elements[0]?.tagLength).toBe("<iq id='1' to='a'>".length);
    }
  });
});
