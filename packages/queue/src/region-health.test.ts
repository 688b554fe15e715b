import { ManualClock } from "@reveille/testkit";
import { type Health, millis, seconds, type Sign } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type RegionHealthOptions, watchRegionHealth } from "./region-health.ts";
import { type QueueStanding } from "./wakeup-queue.ts";

const QUIET: QueueStanding = { paused: false, oldestWaiting: millis(0) };

interface Region {
  readonly standing?: QueueStanding | "no answer";
  readonly signs?: readonly Sign[];
  readonly trouble?: string;
  readonly sight?: { readonly configured: number; readonly agreeing: number };
}

function optionsOf(about: Region): RegionHealthOptions {
  const { standing = QUIET, signs = ["worker", "batch-taken"], trouble, sight } = about;
  return {
    queue: {
      standing: async () => (standing === "no answer" ? Promise.reject(new Error("away")) : standing),
    },
    signs: { sees: (sign) => signs.includes(sign), trouble: () => trouble },
    sentinels: sight && { sight: () => sight },
    clock: new ManualClock(),
  };
}

async function healthOf(about: Region) {
  await using region = await watchRegionHealth(optionsOf(about));
  return new Map(region.health().map(({ part, health }) => [part, health]));
}

async function stateOf(region: Region) {
  await using watched = await watchRegionHealth(optionsOf(region));
  return watched.state();
}

const READY: Health = { kind: "ready" };
const failing = (because: string): Health => ({ kind: "failing", because });

describe("the health of what lies behind an ingress", () => {
  it("is good while Redis takes writes, the queue moves and a worker of the region can send", async () => {
    expect([...(await healthOf({}))]).toEqual([
      ["redis-writes", READY],
      ["queue", READY],
      ["region-worker", READY],
    ]);
  });

  it.each([
    [3, READY],
    [2, READY],
    [1, failing("1 of 3 in sight")],
    [0, failing("0 of 3 in sight")],
  ])("with %i of 3 Sentinels that agree is as good as their majority", async (agreeing, health) => {
    expect((await healthOf({ sight: { configured: 3, agreeing } })).get("sentinels")).toEqual(health);
  });

  it.each<[string, Region, string, string]>([
    ["Redis takes no writes", { trouble: "READONLY" }, "redis-writes", "READONLY"],
    ["Redis does not tell", { standing: "no answer" }, "queue", "Redis does not tell"],
    ["an operator has paused it", { standing: { ...QUIET, paused: true } }, "queue", "it is paused"],
    [
      "batches wait and nobody takes any",
      { standing: { ...QUIET, oldestWaiting: seconds(11) }, signs: ["worker"] },
      "queue",
      "batches wait and nobody takes them",
    ],
    ["no worker of the region can send", { signs: ["batch-taken"] }, "region-worker", "none can send"],
  ])("is bad when %s", async (_what, region, part, because) => {
    const health = await healthOf(region);
    expect(health.get(part)).toEqual(failing(because));
    expect([...health.values()].filter(({ kind }) => kind === "failing")).toHaveLength(1);
  });

  it("is not bad because of a backlog that workers are at", async () => {
    const standing = { ...QUIET, oldestWaiting: seconds(600) };
    expect((await healthOf({ standing })).get("queue")).toEqual(READY);
  });

  it.each<[string, Region]>([
    ["ready", {}],
    ["delayed", { signs: ["batch-taken"] }],
    ["delayed", { standing: { ...QUIET, paused: true } }],
    ["holding", { trouble: "READONLY", standing: "no answer" }],
    // A host that sees few Sentinels accepts publishes as long as a replica answers.
    ["ready", { sight: { configured: 3, agreeing: 1 } }],
  ])("is %s, in a word", async (state, region) => {
    expect(await stateOf(region)).toBe(state);
  });
});
