import { aPublish, aToken, until, whyNoDebianRoot } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { MODULE } from "../durability/push-path.ts";
import { debianRoots, type PairRegion, startPair } from "./matrix-region.ts";
import { whyNoNamespaces } from "./namespaces.ts";
import { Pushes } from "./pushes.ts";
import { HOSTNAME } from "./region.ts";
import { socketOf } from "./surroundings.ts";
import { askOverUnix } from "./unix-http.ts";

const unable = (await whyNoNamespaces()) ?? (await whyNoDebianRoot());
if (unable !== undefined) process.stdout.write(`unreached senders: skipped, ${unable}\n`);
const roots = unable === undefined ? await debianRoots() : { 12: undefined, 13: undefined };

/** One publish, without waiting for its reply. */
const publish = ({ load }: PairRegion): void =>
  load.send(
    aPublish({ from: load.domain, to: HOSTNAME, id: "one", node: aToken("one"), module: MODULE, body: "x" }),
  );

async function probesOf({ site }: PairRegion): Promise<Readonly<Record<string, number>>> {
  const { body } = await askOverUnix(socketOf(site, "sidecar"), "/metrics");
  const found = body.matchAll(/^reveille_reply_probes_total\{[^}]*result="(\w+)"[^}]*\} (\d+)/gm);
  return Object.fromEntries(Array.from(found, ([, result = "", count]) => [result, Number(count)]));
}

async function statusOf({ site }: PairRegion): Promise<unknown> {
  const { body } = await askOverUnix(socketOf(site, "sidecar"), "/status.json");
  const status: unknown = JSON.parse(body);
  return status;
}

describe.skipIf(unable !== undefined)("a sender without XEP-0288", () => {
  it.each([
    // ejabberd 23.01 needs to find the sender for dialback, so its publishes do not arrive at all.
    "Prosody 0.12",
    "Prosody 13",
    "ejabberd 24.12",
  ] as const)("whose server %s does not find is pushed for, hears nothing, and is counted", async (front) => {
    await using region = await startPair({ front, sender: "Prosody 13", bidi: false, roots, isFound: false });
    publish(region);
    const pushes = new Pushes(region.site);
    await until(async () => ((await pushes.all()).length === 1 ? true : undefined), {
      what: "the push",
      withinMs: 30_000,
    });
    await expect
      .poll(async () => probesOf(region), { timeout: 100_000, interval: 500 })
      .toEqual({ reached: 0, unreached: 1 });
    // The sidecar looks at the roles once a second.
    await expect
      .poll(async () => statusOf(region))
      .toMatchObject({ repliesReach: { reached: 0, unreached: 1 } });
    expect(region.load.replies).toEqual([]);
  });
});
