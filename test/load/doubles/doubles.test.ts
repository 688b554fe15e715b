import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ACCEPTED } from "../load-loop.ts";
import { indexOf, tokenOf } from "../tokens.ts";
import { PublishWriter } from "./publishes.ts";
import { ReplyReader } from "./reply-reader.ts";

const MARK = "abad1dea";
const settings = { domain: "push.example.net", module: "monalProdiOS", mark: MARK };

const stanzasOf = (publishes: Buffer): string[] => publishes.toString().split(/(?<=<\/iq>)/);

describe("a publish of the sender", () => {
  it("is Prosody's, byte for byte", () => {
    const [publish] = stanzasOf(new PublishWriter(settings).write(5, 1));
    const plain = publish?.replace(/id='\w{64}'/, "id='ID'").replace(/node='[0-9a-f]{64}'/, "node='TOKEN'");
    expect(plain).toBe(
      "<iq id='ID' to='push.example.net' type='set' from='s00.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='TOKEN'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field><field var='message-count' type='text-single'><value>1</value></field><field var='pending-subscription-count' type='text-single'/><field var='last-message-sender' type='jid-single'/><field var='last-message-body' type='text-single'><value>New Message!</value></field></x></notification></item></publish><publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pushModule'><value>monalProdiOS</value></field></x></publish-options></pubsub></iq>",
    );
  });

  it("carries its index in token and id, and shares them with no other", () => {
    const writer = new PublishWriter(settings);
    const stanzas = stanzasOf(
      Buffer.concat([writer.write(0, 100), writer.write(100, 1), writer.write(101, 200)]),
    );
    const tokens = stanzas.map((stanza) => /node='([0-9a-f]{64})'/.exec(stanza)?.[1] ?? "");
    const ids = stanzas.map((stanza) => /id='([0-9a-f]{64})'/.exec(stanza)?.[1] ?? "");
    expect(tokens.map(indexOf)).toEqual(Array.from({ length: 301 }, (_, index) => index));
    expect(ids.map(indexOf)).toEqual(tokens.map(indexOf));
    expect(new Set(tokens.map((token) => token.slice(0, 56))).size).toBeGreaterThan(295);
    expect(ids.every((id) => id.startsWith(MARK))).toBe(true);
  });
});

describe("a token of the bench", () => {
  it("is like no other and knows its index", () => {
    const tokens = Array.from({ length: 1_000 }, (_, index) => tokenOf(index));
    expect(tokens.map(indexOf)).toEqual(tokens.map((_, index) => index));
    expect(new Set(tokens.map((token) => token.slice(0, 16))).size).toBeGreaterThan(980);
  });
});

const idOf = (index: number): string => `${MARK}${"0".repeat(48)}${index.toString(16).padStart(8, "0")}`;

const STANZAS = [
  [`<iq type="result" id="${idOf(7)}" from="push.example.net" to="s01.example"/>`, `7 ${ACCEPTED}`],
  [`<iq from='push.example.net' id='${idOf(8)}' to='s01.example' type='result'></iq>`, `8 ${ACCEPTED}`],
  [
    `<iq type='error' id='${idOf(9)}'><error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>push backend unavailable</text></error></iq>`,
    "9 wait/remote-server-timeout",
  ],
  [`<iq type='error' id='${idOf(10)}'/>`, "10 ?/?"],
  ["<iq type='get' id='p1' to='push.d'><ping xmlns='urn:xmpp:ping'/></iq>", "p1"],
  ["<iq type='result' id='p2' to='push.d/hëalth'/>", "p2"],
] as const;

function read(bytes: Buffer, chunk: number): string[] {
  const seen: string[] = [];
  const reader = new ReplyReader(MARK, {
    replied: (index, answer) => seen.push(`${index} ${answer}`),
    other: (stanza) => seen.push(/id='(\w+)'/.exec(stanza.toString())?.[1] ?? "no id"),
  });
  for (let at = 0; at < bytes.length; at += chunk) reader.read(bytes.subarray(at, at + chunk));
  return seen;
}

describe("the reply reader", () => {
  it("takes every IQ once, however the bytes are cut", () => {
    const sequences = fc.array(fc.constantFrom(...STANZAS), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sequences, fc.integer({ min: 1, max: 500 }), (sequence, chunk) => {
        const bytes = Buffer.from(` ${sequence.map(([stanza]) => stanza).join(" ")} `);
        expect(read(bytes, chunk)).toEqual(sequence.map(([, expected]) => expected));
      }),
    );
  });

  it("hands over an IQ that is no reply as it came, to be routed", () => {
    const seen: string[] = [];
    const reader = new ReplyReader(MARK, {
      replied: () => undefined,
      other: (stanza) => seen.push(stanza.toString()),
    });
    for (const [stanza] of STANZAS) reader.read(Buffer.from(stanza));
    expect(seen).toEqual([STANZAS[4][0], STANZAS[5][0]]);
  });
});
