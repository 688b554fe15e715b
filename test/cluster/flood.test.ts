import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { aPublish, aToken, until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { startFront } from "../load/doubles/front.ts";
import { MODULE, startLoneIngress } from "./lone-ingress.ts";

const DOMAIN = "push.example";
const SECRET = "component secret of tests";

/** The limit of the domain that floods, per second; it sends fifty times as much. */
const LIMIT = 80;
const FLOOD = 50 * LIMIT;
/** What the other domains send together, per second. */
const OTHERS = 500;

const PAIRS = 15;
const PHASE_MS = 1_000;

/**
 * A real ingress and a real Redis. The front is a double: Prosody itself is busy with a flood (225 µs for each publish),
 * and this is about what the ingress does.
 */
async function aFloodedIngress() {
  await using opened = new AsyncDisposableStack();
  const replies = new Map<string, (reply: string) => void>();
  let rest = "";
  const front = opened.use(
    await startFront({
      domain: DOMAIN,
      secret: SECRET,
      lost: () => undefined,
      read: (chunk) => {
        const stanzas = `${rest}${chunk.toString("latin1")}`.split(/(?=<iq )/);
        rest = isWhole(stanzas.at(-1) ?? "") ? "" : (stanzas.pop() ?? "");
        for (const stanza of stanzas) {
          const id = /id='([^']*)'/.exec(stanza)?.[1] ?? "";
          if (id.startsWith("self-ping")) front.write(Buffer.from(stanza));
          replies.get(id)?.(stanza);
          replies.delete(id);
        }
      },
    }),
  );
  const ingress = opened.use(await startLoneIngress({ port: front.port, domain: DOMAIN, secret: SECRET }));
  const parts = opened.move();
  return { front, replies, ingress, [Symbol.asyncDispose]: async () => parts.disposeAsync() };
}

const isWhole = (stanza: string): boolean => stanza.endsWith("</iq>") || /^<iq [^<]*\/>$/.test(stanza);

type Rig = Awaited<ReturnType<typeof aFloodedIngress>>;

interface Phase {
  /** In milliseconds, from the time the publish was due to its reply. */
  readonly p99: number;
  /** Replies to the flood, by what they say. */
  readonly flood: ReadonlyMap<string, number>;
}

type Who = "others" | "flood";

/** Publishes but for their ids, written beforehand: the sender should cost little beside what is measured. */
const publishes = (from: (index: number) => string): readonly string[] =>
  Array.from({ length: 1_000 }, (_, index) =>
    aPublish({ id: ID, to: DOMAIN, from: from(index), node: aToken(from(index) + index), module: MODULE }),
  );

const ID = "the id of a publish";
const PUBLISHES: Readonly<Record<Who, readonly string[]>> = {
  others: publishes((index) => `s${index % 40}.example`),
  flood: publishes(() => "flood.example"),
};

/** An open loop: what is due leaves, whatever comes back. */
async function aPhase({ front, replies }: Rig, floodRate: number): Promise<Phase> {
  const mark = randomUUID();
  const latencies: number[] = [];
  const flood = new Map<string, number>();
  const sent = { others: 0, flood: 0 };
  const startedAt = performance.now();
  const send = (who: Who, heard: (reply: string) => void): void => {
    const publish = PUBLISHES[who][sent[who] % PUBLISHES[who].length] ?? "";
    const id = `${mark}-${who}-${sent[who]}`;
    sent[who] += 1;
    replies.set(id, heard);
    front.write(Buffer.from(publish.replace(ID, id), "latin1"));
  };
  const tell = (reply: string): void => {
    const said = /<error type='(\w+)'><([a-z-]+)/.exec(reply)?.slice(1).join("/") ?? "result";
    flood.set(said, (flood.get(said) ?? 0) + 1);
  };
  for (let elapsed = 0; elapsed < PHASE_MS; elapsed = performance.now() - startedAt) {
    while (sent.flood < (elapsed * floodRate) / 1_000) send("flood", tell);
    while (sent.others < (elapsed * OTHERS) / 1_000) {
      const dueAt = startedAt + (sent.others * 1_000) / OTHERS;
      send("others", () => latencies.push(performance.now() - dueAt));
    }
    await sleep(1);
  }
  await until(() => (replies.size === 0 ? true : undefined), { what: "all replies", withinMs: 30_000 });
  const sorted = latencies.toSorted((one, other) => one - other);
  return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, flood };
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Pair {
  readonly quiet: Phase;
  readonly flooded: Phase;
}

describe("a domain that sends fifty times its limit", () => {
  it("hears wait, and leaves the others' p99 within 1.5 times that of quiet times", async () => {
    await using rig = await aFloodedIngress();
    await rig.ingress.limit("flood.example", LIMIT);
    await aPhase(rig, FLOOD);
    const pairs: Pair[] = [];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      pairs.push({ quiet: await aPhase(rig, 0), flooded: await aPhase(rig, FLOOD) });
    }
    // Neighbours in time share what else the machine has to do.
    const ratio = median(pairs.map(({ quiet, flooded }) => flooded.p99 / quiet.p99));
    for (const { flooded } of pairs) {
      expect([...flooded.flood.keys()].toSorted()).toEqual(["result", "wait/service-unavailable"]);
      expect(flooded.flood.get("result")).toBeLessThan(4 * LIMIT);
    }
    expect(ratio).toBeLessThan(1.5);
  });
});
