import { X509Certificate } from "node:crypto";

import { heapUsed, ManualClock } from "@reveille/testkit";
import { expect, it } from "vitest";

import { LIMITS } from "./limits.ts";
import { DialbackKeys } from "./s2s/dialback-key.ts";
import { domainPartOf, parseDomain } from "./s2s/domain-name.ts";
import { InboundStream, type PeerStanza } from "./s2s/inbound-stream.ts";
import { textFor } from "./stanza-text.ts";
import { ElementReader, type StreamElement } from "./stream/element-reader.ts";
import { ATlsSocket } from "./testing/a-tls-socket.ts";
import { anAuthority } from "./testing/certificates.ts";

/** The unit suite runs a few thousand streams; `pnpm fuzz` a million. */
const RUNS = Number(process.env["FUZZ_STREAMS"] ?? "1500");
const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);

/** Proven by its certificate, proven by dialback, and never proven. */
const [OWN, DIALLED, VICTIM, HOST] = [
  "own.example",
  "dialled.example",
  "victim.example",
  "push.example",
] as const;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What servers of Debian 12 and 13 wrote at a front of ours, in the pieces in which it came. */
const PROSODY_12 = `<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='${HOST}' version='1.0' from='${OWN}' xml:lang='en' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' id=''>`;
const PROSODY_13 = `<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server' to='${HOST}' xml:lang='en' from='${OWN}' version='1.0' xmlns:db='jabber:server:dialback' id=''>`;
const EJABBERD = `<?xml version='1.0'?><stream:stream version='1.0' xml:lang='en' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' to='${HOST}' from='${OWN}' xmlns='jabber:server'>`;
const AUTH = `<auth mechanism='EXTERNAL' xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${base64(OWN)}</auth>`;
const BIDI =
  "<bidi xmlns='urn:xmpp:bidi'><limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits></bidi>";
const RESULT = `<db:result to='${HOST}' from='${DIALLED}'>f50f2288dda706e4608b11c08e80af4f1865db9d2c0d26f3b3416dc5ba693e1a</db:result>`;
const publish = (from: string): string =>
  `<iq from='${from}' type='set' id='push-1' xml:lang='en' to='${HOST}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='a1b2'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field></x></notification></item></publish></pubsub></iq>`;
const MANAGED = "<enable xmlns='urn:xmpp:sm:3'/><r xmlns='urn:xmpp:sm:3'/>";
const STREAMS: readonly (readonly string[])[] = [
  [PROSODY_12, AUTH, PROSODY_12, publish(OWN) + MANAGED],
  [PROSODY_12, BIDI + AUTH, PROSODY_12, publish(`juliet@${OWN}/x`), `${publish(OWN)}</stream:stream>`],
  [PROSODY_13, RESULT, publish(DIALLED) + MANAGED],
  [PROSODY_13, AUTH, PROSODY_13, `${MANAGED}${RESULT}`, publish(DIALLED) + publish(OWN)],
  [EJABBERD, AUTH, EJABBERD, publish(OWN)],
  [EJABBERD, RESULT, publish(DIALLED)],
];

const TOKENS = [
  "<",
  ">",
  "/",
  "'",
  '"',
  "&",
  ";",
  "=",
  " ",
  ":",
  "\0",
  "\u{1F600}",
  "\uFFFE",
  "]]>",
  "<!--",
  "<![CDATA[",
  "<?x?>",

  OWN,
  DIALLED,
  VICTIM,
  HOST,
  ` from='${VICTIM}'`,
  `&#x76;ictim.example`,
  `${VICTIM}.`,
  `${OWN}@${VICTIM}`,
  base64(VICTIM),

  " xmlns='jabber:server'",
  " xmlns='urn:x'",
  " xmlns:db='jabber:server'",
  " xmlns:stream='jabber:server'",
  "</stream:stream>",

  AUTH,
  RESULT,
  publish(VICTIM),
  publish(OWN),
  "</iq>",
  "<handshake/>",
  "<x:iq xmlns:x='jabber:server' ",
  "\u00AD",
  "。",
];

/** Numbers from 0 up to `below`, the same for the same seed (mulberry32). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutated(pieces: readonly string[], below: (below: number) => number): string[] {
  const all = [...pieces];
  for (let edits = below(4); edits > 0; edits -= 1) {
    const at = below(all.length);
    const piece = all[at] ?? "";
    const from = below(piece.length + 1);
    const put = TOKENS[below(TOKENS.length)] ?? "";
    const names = [OWN, DIALLED];
    if (below(4) === 0) all[at] = piece.replace(names[below(2)] ?? "", VICTIM);
    else if (below(6) === 0) all.splice(at, 1, piece.slice(0, from), piece.slice(from));
    else all[at] = piece.slice(0, from) + put + piece.slice(from + below(6));
  }
  return all;
}

const certificateOf = (): X509Certificate => {
  using authority = anAuthority();
  return new X509Certificate(authority.issue({ names: [OWN] }).cert);
};

/** What a component reads of a stanza that is passed on. */
function readAsComponent(xml: string): readonly StreamElement[] {
  const elements: StreamElement[] = [];
  const reader = new ElementReader(
    { header: () => undefined, element: (each) => void elements.push(each) },
    1 << 20,
  );
  const header =
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'>";
  if (reader.write(header + xml) !== undefined) throw new Error(`ends the component stream: ${xml}`);
  return elements;
}

it(`mutated streams of real servers neither crash the front nor speak for another domain (seed ${SEED}, ${RUNS} streams)`, async () => {
  const certificate = certificateOf();
  const clock = new ManualClock();
  const keys = new DialbackKeys("secret");
  const below = numbersFrom(SEED);
  const counts = { proven: 0, passed: 0, failed: 0 };
  const pass = ({ element, from, prefixes }: PeerStanza): void => {
    if (from !== OWN && from !== DIALLED) throw new Error(`forged: a stanza of ${from}`);
    const xml = textFor(element, prefixes);
    if (xml === undefined) return;
    counts.passed += 1;
    const read = readAsComponent(xml);
    const [sender] = read.map(({ attributes }) => parseDomain(domainPartOf(attributes.get("from") ?? "")));
    if (read.length !== 1 || sender !== from) throw new Error(`another meaning for the component: ${xml}`);
  };
  const run = async (): Promise<void> => {
    const socket = new ATlsSocket(certificate);
    let trouble: unknown;
    const guarded =
      <T>(call: (value: T) => void) =>
      (value: T): void => {
        try {
          call(value);
        } catch (error) {
          trouble = error;
        }
      };
    const stream = new InboundStream(socket, {
      clock,
      keys,
      limits: { ...LIMITS.inbound, stanzaLength: LIMITS.stanzaLength },
      serves: (domain) => domain === HOST,
      startTls: async () => socket,
      verify: async ({ originating }) => (originating === DIALLED ? "valid" : "invalid"),
      onStanza: guarded(pass),
      onProven: guarded((domain: string) => {
        counts.proven += 1;
        if (domain !== OWN && domain !== DIALLED) throw new Error(`forged: ${domain} is proven`);
      }),
      onEnded: (because) => void (counts.failed += because === "internal-server-error" ? 1 : 0),
    });
    const pieces = mutated(STREAMS[below(STREAMS.length)] ?? [], below);
    for (const piece of pieces) {
      socket.says(piece);
      // Dialback answers, and what is written leaves.
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    stream.connection.destroy("over");
    if (trouble !== undefined || socket.written.includes("internal-server-error"))
      throw new Error(`${JSON.stringify(pieces)} wrote ${socket.written}`, { cause: trouble });
  };
  const sample = Math.max(1, Math.floor(RUNS / 4));
  const heaps: number[] = [];
  for (let round = 0; round < RUNS; round += 1) {
    await run();
    if (round % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
    if (round % sample === sample - 1) heaps.push(heapUsed());
  }
  expect(counts.failed).toBe(0);
  expect(counts.proven).toBeGreaterThan(RUNS / 4);
  expect(counts.passed).toBeGreaterThan(RUNS / 4);
  const [first = 0] = heaps;
  const grown = (heaps.at(-1) ?? 0) - first;
  if (RUNS > 50_000) process.stdout.write(`fuzz: ${JSON.stringify(counts)}, heap ${heaps.join(", ")}\n`);
  // Twenty megabytes in a million streams would be 20 bytes of each.
  expect(grown).toBeLessThan(20_000_000);
});
