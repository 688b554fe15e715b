import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Region, startRegion } from "@reveille/demo";
import { aToken, type ServerDouble, type WireReply } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { edit, reload } from "./reloading.ts";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "packages/cli/src/main.ts");
const FOLDER = join(ROOT, "test/output/cluster/domains");
const WITHIN = 60_000;

let region: Region;
let flood: ServerDouble;
let quiet: ServerDouble;

beforeAll(async () => {
  region = await startRegion({ folder: FOLDER, workers: 1, doubles: ["flood.example", "quiet.example"] });
  flood = await region.openDouble("flood.example");
  quiet = await region.openDouble("quiet.example");
});

afterAll(async () => {
  await flood[Symbol.asyncDispose]();
  await quiet[Symbol.asyncDispose]();
  await region[Symbol.asyncDispose]();
});

/** `reveille domain …` of this region. */
async function domain(...args: readonly string[]): Promise<string> {
  const config = join(FOLDER, "reveille.yaml");
  const command = [CLI, "domain", ...args, "--config", config];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

const publish = async (server: ServerDouble, parts = {}) =>
  server.publish({ to: region.hostname, node: aToken(1), ...parts });

/** Publishes until the reply is the one wanted; rules take about a second to arrive. */
const heard = async (server: ServerDouble, wanted: Partial<WireReply>): Promise<void> =>
  vi.waitFor(async () => expect(await publish(server)).toMatchObject(wanted), {
    timeout: WITHIN,
    interval: 100,
  });

const OVER_LIMIT = { errorType: "wait", condition: "service-unavailable" };
const TEN_RESULTS = Array.from({ length: 10 }, () => "result");

const tenFrom = async (server: ServerDouble): Promise<readonly string[]> =>
  Promise.all(TEN_RESULTS.map(async () => (await publish(server)).type));

/** Gives the host another `ingress.domainLimit`, and has the roles read it. */
async function reloadWith(domainLimit: object | undefined): Promise<void> {
  await edit(region, (config) => ({ ...config, ingress: { ...config.ingress, domainLimit } }));
  expect(await reload(region)).toMatchObject({ code: 0 });
}

describe("reveille domain", () => {
  it("blocks a domain of a running region, and lets it publish again", async () => {
    expect(await publish(flood)).toMatchObject({ type: "result" });
    expect(await domain("block", "flood.example", "--yes")).toBe("flood.example is blocked\n");
    await heard(flood, { errorType: "cancel", condition: "not-allowed" });
    expect(await publish(quiet)).toMatchObject({ type: "result" });
    await domain("reset", "flood.example");
    await heard(flood, { type: "result" });
  });

  it("lists the rules, and who sends content in clear", async () => {
    await domain("allow", "*.good.example");
    await publish(quiet, { sender: "juliet@quiet.example/balcony", body: "Wherefore?" });
    const listed = async (): Promise<unknown> => JSON.parse(await domain("list", "--json"));
    await expect.poll(listed, { timeout: WITHIN, interval: 500 }).toMatchObject({
      defaultLimit: { rate: "1000/s", burst: 20_000 },
      rules: [{ domain: "*.good.example", rule: "allowed" }],
      sendContentInClear: [{ domain: "quiet.example" }],
    });
    expect(await domain("list")).toContain("quiet.example (looks like ");
  });

  it("limits a domain, which then hears wait for what is too much", async () => {
    await domain("limit", "flood.example", "--rate", "30/m", "--burst", "5");
    await heard(flood, OVER_LIMIT);
    expect(await publish(quiet)).toMatchObject({ type: "result" });
    expect(await domain("list")).toContain("flood.example is limited to 30/m, 5 at once");
  });

  it("has a domain told of its limit when it asks", async () => {
    const { xml } = await flood.ask(
      "command",
      `<iq type='set' id='command' from='flood.example' to='${region.hostname}'><command xmlns='http://jabber.org/protocol/commands' node='status'/></iq>`,
    );
    expect(xml).toMatch(/limit[^>]*><value>30 publishes a minute, 5 at once; exceeded in the last hour</);
  });

  it("lifts the limit of a domain of a running region", async () => {
    await heard(flood, OVER_LIMIT);
    expect(await domain("allow", "flood.example")).toBe("flood.example is allowed\n");
    // Ten at once are more than the limit ever gave: a token that has flowed in meanwhile shows nothing.
    await vi.waitFor(async () => expect(await tenFrom(flood)).toEqual(TEN_RESULTS), { timeout: WITHIN });
  });

  it("goes before the limit of all others, which a reload brings, changes and takes away", async () => {
    await reloadWith({ rate: "30/m", burst: 3 });
    await heard(quiet, OVER_LIMIT);
    expect(await tenFrom(flood)).toEqual(TEN_RESULTS);
    expect(await domain("list")).toContain("every other domain is limited to 30/m, 3 at once");
    await reloadWith({ rate: "100/s", burst: 1_000 });
    expect(await tenFrom(quiet)).toEqual(TEN_RESULTS);
    await reloadWith({ rate: "1/h", burst: 1 });
    await heard(quiet, OVER_LIMIT);
    await reloadWith(undefined);
    expect(await tenFrom(quiet)).toEqual(TEN_RESULTS);
  });

  it("has a burst of ten seconds unless told, and none that is too much to mean", async () => {
    expect(await domain("limit", "burst.example", "--rate", "5/s")).toContain("limited to 5/s, 50 at once");
    const most = await domain("limit", "burst.example", "--rate", "999999999/s");
    expect(most).toContain("limited to 999999999/s, 1000000 at once");
  });

  it.each([
    [["block", "user@example.org"], "not a domain"],
    [["limit", "example.org", "--rate", "fast"], "not a rate"],
    [["limit", "example.org", "--rate", "0/s"], "not a rate"],
    [["limit", "example.org", "--rate=-5/s"], "not a rate"],
    [["limit", "example.org", "--rate", "NaN/s"], "not a rate"],
    [["limit", "example.org", "--rate", "1e9/s"], "not a rate"],
    [["limit", "example.org", "--rate", "1/s", "--burst", "0"], "not a burst"],
    [["limit", "example.org", "--rate", "1/s", "--burst", ""], 'not a burst: ""'],
    [["limit", "example.org", "--rate", "1/s", "--burst", "NaN"], 'not a burst: "NaN"'],
    [["limit", "example.org", "--rate", "1/s", "--burst", "1e9"], "from 1 to 1000000"],
  ])("says how to mend %j", async (args, message) => {
    await expect(domain(...args)).rejects.toThrow(message);
  });
});
