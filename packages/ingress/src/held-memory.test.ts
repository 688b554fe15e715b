import { aModule, aPublish, aToken, heapUsed, ManualClock } from "@reveille/testkit";
import { millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { MicroBatcher } from "./micro-batcher.ts";
import { servedModules } from "./publish.ts";
import { receiveWith } from "./reception.ts";
import { StreamReader } from "./stream-reader.ts";
import { XmlScanner } from "@reveille/xml";

const PUBLISHES = 10_000;
const OPEN =
  "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>";
/** As a front sends them: TCP brings some sixty publishes at once. */
const PER_CHUNK = 60;

/** The way of a publish from its bytes into the line, with a Redis that is away. */
function aHoldingIngress() {
  const clock = new ManualClock();
  const observe = (): void => undefined;
  const answer = (): void => undefined;
  const batcher = new MicroBatcher({
    admission: { decide: async () => Promise.reject(new Error("Redis is away")) },
    queue: { add: async () => undefined },
    clock,
    observe,
    limits: { publishes: 20_000, bytes: 32 * 1_048_576 },
    flushApart: millis(2),
    holdFor: seconds(20),
    answer,
    onHeldInVain: async () => undefined,
  });
  const modules = servedModules(new Set([aModule()]), aModule());
  const receive = receiveWith({
    refusal: () => undefined,
    refusesQuery: () => false,
    payerOf: (domain) => domain,
    modules: () => modules,
    queryFacts: { version: "1", statusForm: async () => "" },
    clock,
    observe,
    answer,
    accept: (one) => batcher.accept(one),
  });
  const path = { send: () => undefined };
  const ignore = (): void => undefined;
  const listener = {
    opened: ignore,
    accepted: ignore,
    failed: ignore,
    stanza: (one: Parameters<typeof receive>[0]) => receive(one, path),
  };
  return {
    batcher,
    scanner: new XmlScanner(new StreamReader(listener, { length: 65_536, depth: 32 }), 65_536),
  };
}

function aPublishWithContent(index: number): string {
  const id = `publish ${index}`;
  return aPublish({
    id,
    from: `s${index % 100}.example`,
    node: aToken(id),
    module: aModule(),
    body: "x".repeat(500),
  });
}

/** After a collection, in bytes. */
const memory = (): number => heapUsed() + process.memoryUsage().external;

describe("publishes that are held", () => {
  // 8.6 MB as measured; 20.5 when what is kept of a publish points into the chunk that it came in.
  it("take at most 15 MB for 10,000 of them, whatever they carried", async () => {
    const { batcher, scanner } = aHoldingIngress();
    scanner.write(OPEN);
    const before = memory();
    for (let from = 0; from < PUBLISHES; from += PER_CHUNK) {
      const chunk = Array.from({ length: PER_CHUNK }, (_, index) => aPublishWithContent(from + index));
      scanner.write(Buffer.from(chunk.join("")).toString());
    }
    await new Promise((resolve) => setImmediate(resolve));
    const taken = memory() - before;
    expect(batcher.inHand).toBeGreaterThanOrEqual(PUBLISHES);
    process.stdout.write(`held: ${Math.round(taken / PUBLISHES)} bytes for each publish\n`);
    expect(taken).toBeGreaterThan(PUBLISHES * 100);
    expect(taken).toBeLessThanOrEqual(15_000_000);
  });
});
