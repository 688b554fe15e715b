import { until } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MAXMEMORY, StrangersRig } from "./strangers-rig.ts";

/**
 * Short, for every day. The long form takes ten minutes for each flood, and wants an otherwise idle machine, as it compares
 * latencies while somebody sends 5,000 publishes a second: REVEILLE_STRANGERS_MS=600000.
 */
const LONG_MS = Number(process.env["REVEILLE_STRANGERS_MS"] ?? 0);
/** p99 of the others beside a flood, by that of quiet times. The short form only rules out that they are held up for good. */
const MOST_RATIO = LONG_MS === 0 ? 200 : 1.5;
const FLOOD_MS = LONG_MS === 0 ? 8_000 : LONG_MS;
const PHASE_MS = Math.min(10_000, FLOOD_MS / 4);
const PAIRS = Math.ceil(FLOOD_MS / PHASE_MS);

/** What one domain may send to Apple at most: all it has at once, and what its budget gives in that time. */
const mostBad = (tookMs: number): number => 600 + (tookMs / 60_000) * 10 + 5;

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

describe("a flood of made-up tokens", () => {
  it.each<[string, (index: number) => string]>([
    ["5,000 a second from one domain", () => "evil.example"],
    ["17 a second from each of 300 subdomains", (index) => `n${index % 300}.evil.example`],
  ])(
    "of %s costs other domains nothing, nor Apple and Redis much",
    async (_name, from) => {
      await using rig = await StrangersRig.start();
      const memoryBefore = await rig.usedMemory();
      const startedAt = performance.now();
      const flood = { perSecond: 5_000, from };
      await rig.phase(PHASE_MS, flood);
      const pairs = [];
      for (let pair = 0; pair < PAIRS; pair += 1) {
        const quiet = await rig.phase(PHASE_MS, { ...flood, perSecond: 0 });
        pairs.push({ quiet, flooded: await rig.phase(PHASE_MS, flood) });
      }
      const [flooded, told] = await Promise.all([
        rig.phase(PHASE_MS, flood),
        rig.newcomer("new.example.org", 500),
      ]);
      const grown = (await rig.usedMemory()) - memoryBefore;
      const took = performance.now() - startedAt;
      const ratio = median(pairs.map((pair) => pair.flooded.p99 / pair.quiet.p99));
      process.stdout.write(
        `strangers: ${JSON.stringify({ ratio, bad: rig.bad(), grown, took, told: [...told], strangers: [...flooded.strangers], p99: pairs.map(({ quiet, flooded: { p99 } }) => [quiet.p99, p99]) })}\n`,
      );
      for (const { others } of [flooded, ...pairs.map((pair) => pair.flooded)]) {
        expect([...others.keys()]).toEqual(["result"]);
      }
      expect([...flooded.strangers.keys()]).toEqual(["wait/service-unavailable"]);
      expect(rig.bad()).toBeLessThanOrEqual(mostBad(took));
      expect(grown).toBeLessThan(0.1 * MAXMEMORY);
      expect([...told]).toEqual([["result", 500]]);
      await until(() => (rig.reached("new.example.org", 500) === 500 ? true : undefined), {
        what: "a push to each of 500 new devices",
        withinMs: 120_000,
      });
      expect(ratio).toBeLessThan(MOST_RATIO);
    },
    3 * FLOOD_MS + 240_000,
  );
});
