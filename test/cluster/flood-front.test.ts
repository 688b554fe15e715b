import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import {
  aToken,
  openServerDouble,
  type ServerDouble,
  startProsody,
  type TestProsody,
  until,
} from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MODULE, startLoneIngress } from "./lone-ingress.ts";

const DOMAIN = "push.example";

/** Of the domain that floods, per second. A flood that fills the front (4,500 per second) delays everybody there. */
const LIMIT = 20;
const FLOOD = 50 * LIMIT;
/** What the other domain sends, per second. */
const OTHERS = 300;

const PAIRS = 11;
const ROUNDS = 3;
const PHASE_MS = 800;
/** A flood has used up its burst by then. */
const SETTLED_MS = 200;

async function aFlooder({ port, secret }: TestProsody) {
  const argv = [String(port), secret, "flood.example", DOMAIN];
  const worker = new Worker(new URL("flooder.ts", import.meta.url), { argv });
  return {
    /** Publishes so many per second from now on; gives how many have no reply yet. */
    flood: async (rate: number): Promise<number> => {
      worker.postMessage(rate);
      return Number((await once(worker, "message"))[0]);
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}

/** The p99 of an open loop, from when a publish was due to its reply; ms. */
async function p99Of(others: ServerDouble): Promise<number> {
  const startedAt = performance.now();
  const replies: Promise<number>[] = [];
  const publish = async (dueAt: number): Promise<number> => {
    const node = aToken(replies.length);
    const { type } = await others.publish({ to: DOMAIN, node, module: MODULE });
    expect(type).toBe("result");
    return performance.now() - dueAt;
  };
  for (let elapsed = 0; elapsed < PHASE_MS; elapsed = performance.now() - startedAt) {
    while (replies.length < (elapsed * OTHERS) / 1_000) {
      replies.push(publish(startedAt + (replies.length * 1_000) / OTHERS));
    }
    await sleep(1);
  }
  const latencies = (await Promise.all(replies)).toSorted((one, other) => one - other);
  return latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
}

interface Pair {
  readonly quiet: number;
  readonly flooded: number;
}

/** Neighbours in time, which share what else the machine has to do. */
async function somePairs(
  flooder: Awaited<ReturnType<typeof aFlooder>>,
  others: ServerDouble,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // What is left of a flood would make the quiet times look worse than they are.
    const isQuiet = async () => ((await flooder.flood(0)) === 0 ? true : undefined);
    await until(isQuiet, { what: "the end of the flood", withinMs: 30_000 });
    await sleep(SETTLED_MS);
    const quiet = await p99Of(others);
    await flooder.flood(FLOOD);
    await sleep(SETTLED_MS);
    pairs.push({ quiet, flooded: await p99Of(others) });
  }
  return pairs;
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

// Measured on a quiet machine: 1.0; 1.25 with a flood of 2,000 per second, 1.4 with 3,000. Seen to fail with 4,500.
describe("a domain that sends fifty times its limit to a front", () => {
  it("leaves the p99 of another domain within 1.5 times that of quiet times", async () => {
    // As in production: at the level `debug` Prosody writes more than it passes on.
    const settings = `log = { { to = "console", levels = { min = "info" } } }`;
    await using front = await startProsody({
      components: [DOMAIN, "flood.example", "others.example"],
      settings,
    });
    const { port, secret } = front;
    await using ingress = await startLoneIngress({ port, domain: DOMAIN, secret });
    await ingress.limit("flood.example", LIMIT);
    await using flooder = await aFlooder(front);
    await using others = await openServerDouble({ port, domain: "others.example", secret });
    await flooder.flood(FLOOD);
    await p99Of(others);
    let ratio = Number.NaN;
    // What else the machine does can only add to it.
    for (let round = 0; round < ROUNDS && !(ratio < 1.5); round += 1) {
      const pairs = await somePairs(flooder, others);
      ratio = median(pairs.map(({ quiet, flooded }) => flooded / quiet));
      process.stdout.write(`flood: ${JSON.stringify({ ratio, pairs })}\n`);
    }
    expect(ratio).toBeLessThan(1.5);
  });
});
