import { describe, expect, it } from "vitest";

import { startProsody } from "./prosody.ts";
import { aPublish } from "./publish.ts";
import { openServerDouble } from "./server-double.ts";
import { StanzaSplitter } from "./stanza-splitter.ts";

describe("the stanza splitter", () => {
  it("finds the same stanzas however the stream is cut", () => {
    const stream =
      "<?xml version='1.0'?><stream:stream id='1'><handshake/> <iq id='a'><ping/></iq><message><body>ä &lt;</body></message>";
    for (let size = 1; size <= stream.length; size += 1) {
      const found: string[] = [];
      const splitter = new StanzaSplitter({
        onOpen: (tag) => found.push(tag),
        onStanza: (xml) => found.push(xml),
      });
      for (let at = 0; at < stream.length; at += size) splitter.write(stream.slice(at, at + size));
      expect(found).toEqual([
        "<stream:stream id='1'>",
        "<handshake/>",
        "<iq id='a'><ping/></iq>",
        "<message><body>ä &lt;</body></message>",
      ]);
    }
  });
});

describe("a real Prosody with two components", () => {
  it("hands the stanzas of one to the other and back", async () => {
    await using prosody = await startProsody();
    const { port, secret } = prosody;
    await using server = await openServerDouble({ port, secret, domain: "server.localhost" });
    await using push = await openServerDouble({ port, secret, domain: "push.localhost" });
    const reply = server.publish({ id: "1'2", node: "abcd", module: "m", body: "<&" });
    await expect.poll(() => push.received).toHaveLength(1);
    expect(push.received[0]).toContain("<value>&lt;&amp;</value>");
    push.send("<iq type='result' id='1&apos;2' from='push.localhost' to='server.localhost'/>");
    expect(await reply).toMatchObject({ type: "result", from: "push.localhost" });
  });

  it("answers for a component that is not there, in the way every server takes as temporary", async () => {
    await using prosody = await startProsody();
    const { port, secret } = prosody;
    await using server = await openServerDouble({ port, secret, domain: "server.localhost" });
    expect(await server.publish()).toMatchObject({
      type: "error",
      errorType: "wait",
      condition: "remote-server-timeout",
      text: "Component unavailable",
    });
  });

  it("refuses a second connection for the same component", async () => {
    await using prosody = await startProsody();
    const { port, secret } = prosody;
    await using first = await openServerDouble({ port, secret, domain: "push.localhost" });
    await expect(openServerDouble({ port, secret, domain: "push.localhost" })).rejects.toThrow("conflict");
    expect(first.received).toEqual([]);
  });

  it("serves the same port again after it was killed", async () => {
    await using prosody = await startProsody();
    const { port, secret } = prosody;
    await prosody.kill();
    await prosody.restart();
    await using server = await openServerDouble({ port, secret, domain: "server.localhost" });
    expect(await server.publish()).toMatchObject({ type: "error" });
  });
});

describe("a publish of the fixtures", () => {
  it("is what mod_cloud_notify of Prosody 0.12 writes", () => {
    const token = "ab".repeat(32);
    expect(
      aPublish({
        id: "c66d",
        to: "push.example.net",
        from: "example.com",
        node: token,
        module: "monalProdiOS",
        body: "New Message!",
      }),
    ).toBe(
      `<iq id='c66d' to='push.example.net' type='set' from='example.com'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${token}'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field><field var='message-count' type='text-single'><value>1</value></field><field var='pending-subscription-count' type='text-single'/><field var='last-message-sender' type='jid-single'/><field var='last-message-body' type='text-single'><value>New Message!</value></field></x></notification></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pushModule'><value>monalProdiOS</value></field></x></publish-options></pubsub></iq>`,
    );
  });
});
