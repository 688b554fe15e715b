import { setTimeout as sleep } from "node:timers/promises";

import { aToken, openServerDouble } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MODULE, startLoneIngress } from "./lone-ingress.ts";
import {
  type FrontKind,
  HOSTNAME,
  type RenderedFront,
  SECRET,
  startRenderedFront,
} from "./rendered-front.ts";
import { openS2sPeer } from "./s2s-peer.ts";

/** Stands in every address, text and attribute of a person here. */
const CANARY = "canaryromeo";
const SENDER = "sender.example";
const DOUBLE = "double.example";

const from = `${CANARY}@${SENDER}`;
const publish = (id: string, sender = from): string =>
  `<iq type='set' id='${CANARY}-${id}' from='${sender}' to='${HOSTNAME}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${aToken(CANARY)}'><item><notification xmlns='urn:xmpp:push:0'><body>${CANARY}</body></notification></item></publish></pubsub></iq>`;

/** What a user's server may say, right and wrong. */
const STANZAS = new Map([
  ["a publish", publish("1")],
  [
    "a message to nobody",
    `<message from='${from}' to='${CANARY}@${HOSTNAME}'><body>${CANARY}</body></message>`,
  ],
  ["a stanza for another host", `<message from='${from}' to='${CANARY}@elsewhere.example'/>`],
  ["a stanza from another domain", publish("2", `${CANARY}@other.example`)],
  ["an address that is none", `<iq type='get' id='3' from='${CANARY} @@${SENDER}' to='${HOSTNAME}'/>`],
  [
    "a destination that is none",
    `<iq type='get' id='4' from='${from}' to='${CANARY} @@${HOSTNAME}/${CANARY}'/>`,
  ],
  ["no destination", `<iq type='get' id='5' from='${from}'><a>${CANARY}</a></iq>`],
  ["an unknown element", `<${CANARY} from='${from}' to='${HOSTNAME}'><a>${CANARY}</a></${CANARY}>`],
  [
    "an element of another namespace",
    `<a xmlns='urn:${CANARY}' from='${from}' to='${HOSTNAME}'>${CANARY}</a>`,
  ],
  [
    "a stream error",
    `<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>for ${from}</text></stream:error>`,
  ],
  ["a stanza that is too long", publish("6").replace("<item>", `<item><a>${CANARY.repeat(10_000)}</a>`)],
  ["bad XML", `<iq from='${from}' ${CANARY}=>`],
  [
    "an error for nobody",
    `<iq type='error' id='7' from='${from}' to='${HOSTNAME}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:${from}</gone></error></iq>`,
  ],
]);

/**
 * Says everything, each on a stream of its own, since some end it; gives how many streams the front let in. Without any
 * ingress ejabberd knows no such host.
 */
async function sayAll(front: RenderedFront): Promise<number> {
  const identity = await front.identify(SENDER);
  let streams = 0;
  for (const xml of STANZAS.values()) {
    const peer = await openS2sPeer(identity).catch(() => undefined);
    if (peer === undefined) continue;
    streams += 1;
    peer.send(xml);
    await sleep(150);
    peer[Symbol.dispose]();
  }
  return streams;
}

async function sayAllAsComponent(front: RenderedFront): Promise<void> {
  for (const xml of STANZAS.values()) {
    await using double = await openServerDouble({ port: front.doublePort, domain: DOUBLE, secret: SECRET });
    double.send(xml.replaceAll(SENDER, DOUBLE));
    await sleep(100);
  }
}

const named = async (front: RenderedFront): Promise<readonly string[]> =>
  (await front.log()).split("\n").filter((line) => line.toLowerCase().includes(CANARY));

describe.each<FrontKind>(["prosody", "ejabberd"])("the log of %s, as it is rendered", (kind) => {
  it("names nobody, whether an ingress is there or not", async () => {
    await using front = await startRenderedFront(kind, [DOUBLE]);
    const { componentPort: port } = front;
    await sayAll(front);
    await sayAllAsComponent(front);
    expect(await named(front)).toEqual([]);
    {
      await using ingress = await startLoneIngress({
        port,
        domain: HOSTNAME,
        secret: SECRET,
        redisAwayMs: 0,
        connections: kind === "ejabberd" ? 2 : 1,
      });
      await using double = await openServerDouble({ port: front.doublePort, domain: DOUBLE, secret: SECRET });
      await double
        .publish({ to: HOSTNAME, from, node: aToken(CANARY), module: MODULE })
        .catch(() => undefined);
      expect(await sayAll(front)).toBe(STANZAS.size);
      expect(ingress.isRunning()).toBe(true);
    }
    await sayAll(front);
    expect(await named(front)).toEqual([]);
    // What Prosody leaves out says so, and domains may be named.
    const told = { prosody: ["bouncing error for: (left out", SENDER], ejabberd: [] }[kind];
    const log = await front.log();
    expect(told.filter((one) => !log.includes(one))).toEqual([]);
  });
});
