import { aModule, anFcmToken, aToken } from "@reveille/testkit";
import { epochMillis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { publishFixtures } from "./fixtures/index.ts";
import { MONAL_OPTIONS, NODE, PUBSUB } from "./fixtures/publish-fixture.ts";
import { readStanzas } from "./fixtures/read-stanzas.ts";
import { servedModules, wakeupOf } from "./publish.ts";
import { senderOf } from "./sender.ts";

describe("a publish", () => {
  it.each(publishFixtures.map((fixture) => [fixture.name, fixture] as const))(
    "of %s is read",
    (_name, { xml, expected }) => {
      const { id, from, domain, ...publish } = expected;
      const { stanzas, fault } = readStanzas(xml);
      expect(fault).toBeUndefined();
      expect(stanzas).toHaveLength(1);
      expect(stanzas[0]).toEqual({
        name: "iq",
        type: "set",
        id,
        from,
        to: "push.example.net",
        payload: { kind: "publish", ...publish },
        excessive: false,
      });
      expect(senderOf(from)).toEqual({ kind: "server", domain });
    },
  );

  it.each(publishFixtures.map(({ name, xml }) => [name, xml] as const))(
    "of %s is read the same in any chunks",
    (_name, xml) => {
      const whole = readStanzas(xml);
      expect(readStanzas(Array.from(xml))).toEqual(whole);
      const half = Math.floor(xml.length / 2);
      expect(readStanzas([xml.slice(0, half), xml.slice(half)])).toEqual(whole);
    },
  );
});

describe("publishes in a row", () => {
  const stanza = (children: string): string =>
    `<iq id='1' from='example.com' to='push.example.net' type='set'><pubsub xmlns='${PUBSUB}'>${children}</pubsub></iq>`;
  const urgent =
    "<item><notification xmlns='urn:xmpp:push:0'><priority xmlns='tigase:push:priority:0'>high</priority></notification></item>";

  it.each([
    ["options without a publish", stanza(MONAL_OPTIONS)],
    ["a publish with all there is", stanza(`<publish node='${NODE}'>${urgent}</publish>${MONAL_OPTIONS}`)],
    ["two publishes", stanza(`<publish/><publish>${urgent}${urgent}</publish>`)],
    [
      "a message with a publish",
      `<message>${stanza(`<publish node='${NODE}'>${urgent}</publish>`)}</message>`,
    ],
  ])("leave nothing of %s in the next", (_what, before) => {
    const { stanzas } = readStanzas(before + stanza("<publish><item/></publish>"));
    expect(stanzas.at(-1)?.payload).toEqual({
      kind: "publish",
      node: undefined,
      module: undefined,
      urgent: false,
      inClear: false,
    });
    expect(readStanzas(before + stanza("<create/>")).stanzas.at(-1)?.payload).toMatchObject({
      query: "unsupported",
    });
  });
});

describe("the wakeup of a publish", () => {
  const receivedAt = epochMillis(1_700_000_000_000);
  const known = new Set([aModule(), aModule("other")]);
  const modules = servedModules(known, aModule("other"));
  const publish = {
    kind: "publish",
    node: aToken(),
    module: "monalProdiOS",
    urgent: true,
    inClear: false,
  } as const;

  it("has token, module, urgency and time, and nothing else", () => {
    expect(wakeupOf(publish, modules, receivedAt)).toEqual({
      token: aToken(),
      module: "monalProdiOS",
      urgent: true,
      receivedAt,
    });
  });

  it("has the token of its module's push service, and no other", () => {
    const android = servedModules(known, undefined, new Set([aModule("other")]));
    const to = (module: string, node: string) => wakeupOf({ ...publish, module, node }, android, receivedAt);
    expect(to("other", anFcmToken())).toMatchObject({ token: anFcmToken(), module: "other" });
    expect(to("monalProdiOS", anFcmToken())).toBe("no-device-token");
    expect(to("missing", anFcmToken())).toBe("unknown-module");
  });

  it.each([
    ["a module that is configured no more", "gone", aToken(), ["gone apns"]],
    ["a module of FCM that is configured no more", "gone", anFcmToken(), ["gone fcm"]],
    ["a node of no shape, for a module that is configured no more", "gone", "x", ["gone fcm"]],
    ["no module, where a default was served", "", aToken(), [" apns"]],
    [
      "a module that served FCM before APNs, with the token it had",
      "monalProdiOS",
      anFcmToken(),
      ["monalProdiOS fcm"],
    ],
    ["a module that served APNs before FCM, with the token it had", "other", aToken(), ["other apns"]],
  ])("%s is a change of ours, and ends nothing", (_what, module, node, served) => {
    const wasServed = (name: string, kind: string): boolean => served.includes(`${name} ${kind}`);
    const now = servedModules(known, undefined, new Set([aModule("other")]), { wasServed });
    expect(wakeupOf({ ...publish, module, node }, now, receivedAt)).toBe("module-changed");
  });

  it.each([undefined, ""])("goes to the fallback for module %j", (module) => {
    expect(wakeupOf({ ...publish, module }, modules, receivedAt)).toMatchObject({ module: "other" });
    expect(wakeupOf({ ...publish, module }, servedModules(known, undefined), receivedAt)).toBe(
      "unknown-module",
    );
  });

  it.each(["missing", "monalProdiOS ", "a b", "a".repeat(65), "../x"])(
    "is refused for module %j",
    (module) => {
      expect(wakeupOf({ ...publish, module }, modules, receivedAt)).toBe("unknown-module");
    },
  );

  it.each(["", "abc", "C0FFEE", "6F1C0D5E-0A6B-4E43-9D7A-2C1F3D1B7A55", `${aToken()}0`])(
    "is refused for node %j",
    (node) => {
      expect(wakeupOf({ ...publish, node }, modules, receivedAt)).toBe("no-device-token");
    },
  );

  it("is refused without node: that may be a mistake of the server", () => {
    expect(wakeupOf({ ...publish, node: undefined }, modules, receivedAt)).toBe("malformed");
  });

  it("takes a token in upper case", () => {
    expect(wakeupOf({ ...publish, node: aToken().toUpperCase() }, modules, receivedAt)).toMatchObject({
      token: aToken(),
    });
  });
});

describe("the sender of a publish", () => {
  it.each([
    ["example.com", { kind: "server", domain: "example.com" }],
    ["romeo@example.com", { kind: "server", domain: "example.com" }],
    ["example.com/resource", { kind: "server", domain: "example.com" }],
    ["example.com/with@sign/and/slashes", { kind: "server", domain: "example.com" }],
    ["romeo@example.com/orchard", { kind: "client", domain: "example.com" }],
    ["romeo@example.com/", { kind: "client", domain: "example.com" }],
  ])("%s", (from, sender) => {
    expect(senderOf(from)).toEqual(sender);
  });
});
