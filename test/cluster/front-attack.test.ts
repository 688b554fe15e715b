import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { aPublish, aToken, openServerDouble, type ServerDouble } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MODULE, startLoneIngress } from "./lone-ingress.ts";
import {
  type FrontKind,
  HOSTNAME,
  type RenderedFront,
  SECRET,
  startRenderedFront,
} from "./rendered-front.ts";
import { openS2sPeer, type S2sPeer } from "./s2s-peer.ts";

const OTHERS = "others.example";
/** Comes by s2s; a Prosody takes no stream of a domain that is its own component. */
const BURST = "burst.example";
const EVIL = "evil.example";
const RATE = 100;
const PHASE_MS = 15_000;
const PUBLISHES = 300;

const attributes = (count: number): string =>
  Array.from({ length: count }, (_, index) => `p:a${index.toString(36)}=''`).join(" ");

const anIq = (parts: string, content = ""): string =>
  `<iq ${parts} type='set' id='evil' from='${EVIL}' to='${HOSTNAME}'><x xmlns='urn:x'>${content}</x></iq>`;

/** Each below 10 kB, and what a front might make of it. */
const STANZAS = new Map([
  [
    "550 attributes of a namespace of 2,000 characters",
    anIq(`xmlns:p='${"n".repeat(2_000)}' ${attributes(550)}`),
  ],
  [
    "240 elements of a namespace of 7,000 characters",
    anIq(`xmlns:p='${"n".repeat(7_000)}'`, "<p:b/>".repeat(240)),
  ],
  ["9 kB of apostrophes", anIq("", "'".repeat(9_000))],
  ["a stanza of 64 kB", anIq("", "x".repeat(64_000))],
]);

/** Writes `xml` a hundred times a second from one domain, on a new stream when the front has ended the last one. */
async function attack(front: RenderedFront, xml: string, signal: AbortSignal) {
  const identity = await front.identify(EVIL);
  const startedAt = performance.now();
  let peer: S2sPeer | undefined;
  let sent = 0;
  while (!signal.aborted) {
    if (peer === undefined || !peer.isOpen()) {
      peer?.[Symbol.dispose]();
      peer = await openS2sPeer(identity).catch(() => undefined);
    }
    const due = ((performance.now() - startedAt) / 1_000) * RATE;
    for (; sent < due; sent += 1)
      if (peer?.isOpen() === true && peer.socket.writableLength < 1e6) peer.send(xml);
    await sleep(10);
  }
  peer?.[Symbol.dispose]();
}

let devices = 0;

/** 300 publishes at an even pace; the p99 of their replies from when they were due, in ms. Each must be accepted. */
async function p99Of(others: ServerDouble): Promise<number> {
  const startedAt = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: PUBLISHES }, async (_, index) => {
      const dueAt = startedAt + (index * PHASE_MS) / PUBLISHES;
      await sleep(dueAt - performance.now());
      devices += 1;
      const { type } = await others.publish({ to: HOSTNAME, node: aToken(`${devices}`), module: MODULE });
      expect(type).toBe("result");
      return performance.now() - dueAt;
    }),
  );
  return latencies.toSorted((one, other) => one - other)[Math.floor(PUBLISHES * 0.99)] ?? Number.NaN;
}

const cpuMs = async ({ program }: RenderedFront): Promise<number> => {
  const fields = (await readFile(`/proc/${program.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
};

/**
 * Most of a core that the front may need. ejabberd reads each stream in a process of its own, and passes attributes on as they
 * come; what it makes of prefixed elements it does not bound (docs/decisions/0026-what-a-peer-may-send.md).
 */
const SHARE = { prosody: 0.7, ejabberd: 1.2 };
const UNBOUNDED = { prosody: "", ejabberd: "240 elements of a namespace of 7,000 characters" };

describe.each<FrontKind>(["prosody", "ejabberd"])("a domain that sends %s what inflates", (kind) => {
  it("may send 200 publishes at once", async () => {
    await using front = await startRenderedFront(kind, [OTHERS]);
    const { componentPort: port } = front;
    const ingress = { port, domain: HOSTNAME, secret: SECRET };
    await using first = await openServerDouble(ingress);
    // ejabberd has two places, at Prosody the second one is refused.
    await using second = kind === "ejabberd" ? await openServerDouble(ingress) : first;
    using peer = await openS2sPeer(await front.identify(BURST));
    const publishes = Array.from({ length: 200 }, (_, index) =>
      aPublish({ id: `${index}`, from: BURST, to: HOSTNAME, node: aToken(`${index}`), module: MODULE }),
    );
    peer.send(publishes.join(""));
    await expect.poll(() => new Set([...first.received, ...second.received]).size).toBe(200);
    expect(peer.isOpen()).toBe(true);
  });

  it.each([...STANZAS].filter(([what]) => what !== UNBOUNDED[kind]))(
    "leaves others as they were: %s",
    async (_what, xml) => {
      await using front = await startRenderedFront(kind, [OTHERS]);
      const port = front.componentPort;
      await using ingress = await startLoneIngress({
        port,
        domain: HOSTNAME,
        secret: SECRET,
        redisAwayMs: 0,
        connections: kind === "ejabberd" ? 2 : 1,
      });
      await using others = await openServerDouble({ port: front.doublePort, domain: OTHERS, secret: SECRET });
      const quiet = await p99Of(others);
      const before = await front.memory();
      const cpuBefore = await cpuMs(front);
      const over = new AbortController();
      const attacking = attack(front, xml, over.signal);
      const attacked = await p99Of(others);
      over.abort();
      await attacking;
      const grown = (await front.memory()) - before;
      // The share of a core that the front needs says more than latencies, which anything else on this machine changes.
      const share = ((await cpuMs(front)) - cpuBefore) / PHASE_MS;
      process.stdout.write(`${kind}: ${JSON.stringify({ quiet, attacked, grown, share })}\n`);
      expect(grown).toBeLessThan(64 * 1_048_576);
      expect(share).toBeLessThan(SHARE[kind]);
      expect(ingress.isRunning()).toBe(true);
    },
  );
});
