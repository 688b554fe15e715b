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

/**
 * The ingress takes 430 publishes per second from the line, and a reply takes 300 to 600 ms: a machine that is slow or
 * busy makes little of a difference to that.
 */
const REDIS_AWAY_MS = 150;
/**
 * Of the domain that floods, per second. Without its limit it would fill the line. A flood that fills the front (4,500 per
 * second on a machine with time, 1,500 on a slow one) delays everybody there.
 */
const LIMIT = 12;
const FLOOD = 50 * LIMIT;
/** What the other domain sends, per second. */
const OTHERS = 60;

const PAIRS = 7;
const ROUNDS = 3;
const PHASE_MS = 2_000;
/** A flood has used up its burst by then, and what a quiet time's last publishes hold up has left. */
const SETTLED_MS = 1_000;

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

/** Each publish is for another device, so that each batch takes both answers of Redis. */
let devices = 0;

/** The p99 of an open loop, from when a publish was due to its reply; ms. */
async function p99Of(others: ServerDouble): Promise<number> {
  const startedAt = performance.now();
  const replies: Promise<number>[] = [];
  const publish = async (dueAt: number): Promise<number> => {
    devices += 1;
    const { type } = await others.publish({ to: DOMAIN, node: aToken(devices), module: MODULE });
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

// Measured on a busy machine: 1.01. Seen to fail: without the limit (2.6).
describe("a domain that sends fifty times its limit to a front", () => {
  it("leaves the p99 of another domain within 1.5 times that of quiet times", async () => {
    // As in production: at the level `debug` Prosody writes more than it passes on.
    const components = [DOMAIN, "flood.example", "others.example"];
    await using front = await startProsody({ components, logLevel: "info" });
    const { port, secret } = front;
    await using ingress = await startLoneIngress({
      port,
      domain: DOMAIN,
      secret,
      redisAwayMs: REDIS_AWAY_MS,
    });
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
