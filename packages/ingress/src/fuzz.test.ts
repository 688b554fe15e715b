import { aModule, aPublish, aToken, ManualClock } from "@reveille/testkit";
import { millis, seconds, type Verdict } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { answerBy } from "./answer.ts";
import { anElement, mutationsOf, splitAt } from "@reveille/testkit";
import { publishFixtures } from "./fixtures/index.ts";
import { readReplies } from "./fixtures/read-reply.ts";
import { MicroBatcher } from "./micro-batcher.ts";
import { servedModules } from "./publish.ts";
import { receiveWith } from "./reception.ts";
import { RegistrationGuard } from "./registration-guard.ts";
import { StreamReader } from "./stream-reader.ts";
import { XmlScanner } from "@reveille/xml";

/** One connection: well-formed stanzas (`good`: a good publish), and at the end anything at all. */
interface Connection {
  readonly stanzas: readonly string[];
  readonly garbage: string;
  readonly cuts: readonly number[];
}

const OPEN =
  "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='urn:p' id='1'>";

const aValue = fc
  .string({ unit: "grapheme", maxLength: 20 })
  .map((text) => text.replaceAll(/[<&'\p{Cc}\uFFFE\uFFFF]/gu, "_"));
const aStanza = fc
  .tuple(
    fc.constantFrom("iq", "message", "presence", "other"),
    fc.constantFrom("get", "set", "result", "error", "x"),
    aValue,
    aValue,
    anElement,
  )
  .map(
    ([name, type, id, from, child]) =>
      `<${name} type='${type}' id='weird ${id}' from='${from}' to='push.localhost'>${child}</${name}>`,
  );
const aFixture = fc.constantFrom(...publishFixtures.map(({ xml }) => xml));
const aLargeStanza = fc
  .tuple(fc.constantFrom("x", "<a>", "&amp;", "é"), fc.integer({ min: 1, max: 30_000 }))
  .map(
    ([piece, times]) =>
      `<iq type='set' id='large' from='a' to='push.localhost'><q>${piece.repeat(times)}${piece === "<a>" ? "</a>".repeat(times) : ""}</q></iq>`,
  );

const connections: fc.Arbitrary<readonly Connection[]> = fc.array(
  fc.record({
    stanzas: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant("good") },
        { weight: 3, arbitrary: aStanza },
        { weight: 2, arbitrary: aFixture },
        { weight: 1, arbitrary: aLargeStanza },
      ),
      { maxLength: 12 },
    ),
    garbage: fc.oneof(
      mutationsOf(aFixture),
      mutationsOf(aStanza),
      fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
    ),
    cuts: fc.array(fc.nat(), { maxLength: 10 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function anIngress() {
  const clock = new ManualClock();
  const observe = (): void => undefined;
  const guard = new RegistrationGuard({ limits: { share: 2, devices: 1 }, clock, observe });
  const answer = answerBy({ guard, countedAs: (domain) => domain, clock, observe });
  const now: Verdict = { kind: "now" };
  const batcher = new MicroBatcher({
    admission: { decide: async (wakeups) => wakeups.map(() => now) },
    queue: { add: async () => undefined },
    clock,
    observe,
    limits: { publishes: 1_000, bytes: 10_000_000 },
    flushApart: millis(0),
    holdFor: seconds(20),
    answer,
    onHeldInVain: async () => undefined,
  });
  const modules = servedModules(new Set([aModule()]), aModule());
  return {
    batcher,
    receive: receiveWith({
      refusal: () => undefined,
      refusesQuery: () => false,
      payerOf: (domain) => domain,
      modules: () => modules,
      queryFacts: { version: "1", statusForm: async () => "" },
      clock,
      observe,
      answer,
      accept: (one) => batcher.accept(one),
    }),
  };
}

/** Feeds the connections one after the other; gives all replies, and the ids of the good publishes. */
async function run(plan: readonly Connection[]) {
  const { batcher, receive } = anIngress();
  const ignore = (): void => undefined;
  const good: string[] = [];
  let sent = "";
  const path = { send: (xml: string) => void (sent += xml) };
  for (const { stanzas, garbage, cuts } of plan) {
    const listener = {
      opened: ignore,
      accepted: ignore,
      failed: ignore,
      stanza: (one: Parameters<typeof receive>[0]) => receive(one, path),
    };
    const scanner = new XmlScanner(new StreamReader(listener, { length: 65_536, depth: 32 }), 65_536);
    const xml = stanzas.map((stanza) => (stanza === "good" ? aGoodPublish(good) : stanza)).join("");
    // As characters of one byte each, so that cuts also fall into characters of UTF-8.
    const bytes = Buffer.from(OPEN + xml + garbage).toString("latin1");
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (const chunk of splitAt(bytes, cuts)) {
      scanner.write(decoder.decode(Buffer.from(chunk, "latin1"), { stream: true }));
    }
  }
  await batcher.drain();
  return { good, replies: readReplies(sent) };
}

function aGoodPublish(good: string[]): string {
  const id = `good ${good.length} <&'">`;
  good.push(id);
  return aPublish({ id, from: "sender.example", node: aToken(id), module: aModule(), body: "New Message!" });
}

const numRuns = Number(process.env["FUZZ_RUNS"] ?? 120);
const seed = Number(process.env["FUZZ_SEED"] ?? 357);

describe("the way from bytes to replies, whatever the bytes are", () => {
  it("answers every good publish once and correctly, and everything else with well-formed stanzas", async () => {
    await fc.assert(
      fc.asyncProperty(connections, async (plan) => {
        const { good, replies } = await run(plan);
        const answered = replies.filter(({ id }) => id?.startsWith("good ") === true);
        expect(answered.map(({ id, type, from, to }) => ({ id, type, from, to }))).toEqual(
          good.map((id) => ({ id, type: "result", from: "push.localhost", to: "sender.example" })),
        );
      }),
      { numRuns, seed },
    );
  }, 600_000);
});
