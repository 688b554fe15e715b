import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Region, startRegion } from "@reveille/demo";
import { aToken, type ServerDouble, until } from "@reveille/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { serverFixtures } from "../../packages/ingress/src/fixtures/index.ts";

const FOLDER = join(import.meta.dirname, "../output/cluster/canary");
const DOMAIN = "talkative.example";
const WITHIN = 60_000;

/** What is looked for; long enough that it stands nowhere by chance. */
const canary = (kind: string): string => `canary-${kind}-${randomUUID().slice(0, 13)}`;
const CANARIES = {
  sender: canary("sender"),
  body: canary("body"),
  nickname: canary("nickname"),
  localPart: canary("local-part"),
  blob: canary("blob"),
};

let region: Region;
let server: ServerDouble;

beforeAll(async () => {
  region = await startRegion({
    folder: FOLDER,
    doubles: [DOMAIN],
    nodeOptions: ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${FOLDER}`],
  });
  server = await region.openDouble(DOMAIN);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await region[Symbol.asyncDispose]();
});

const TOKEN = aToken("canary");

/** What each server sends, with canaries for what people wrote, and one of its own for its id. */
function publishesWithCanaries(): ReadonlyMap<string, string> {
  const publishes = new Map<string, string>();
  for (const { xml, expected } of serverFixtures) {
    const id = randomUUID();
    const from = expected.from.replace("example.com", DOMAIN).replace("romeo", CANARIES.localPart);
    const told = xml
      .replace("push.example.net", region.hostname)
      .replace(/(\sfrom=)(?:'[^']*'|"[^"]*")/, `$1'${from}'`)
      .replace(/(<iq[^>]*?\sid=)(?:'[^']*'|"[^"]*")/, `$1'${id}'`)
      .replaceAll(/<nickname>[^<]*/g, `<nickname>${CANARIES.nickname}`)
      .replaceAll("juliet", CANARIES.sender)
      .replaceAll(/Wherefore[^<]*/g, CANARIES.body)
      .replaceAll("c2VjcmV0IGJsb2I=", CANARIES.blob);
    publishes.set(id, expected.node === undefined ? told : told.replace(expected.node, TOKEN));
  }
  return publishes;
}

/** Stanzas that are no proper publish, and have canaries in them as well. */
function strangeStanzas(): ReadonlyMap<string, string> {
  const { body, sender } = CANARIES;
  const iq = (id: string, child: string, type = "set"): [string, string] => [
    id,
    `<iq type='${type}' id='${id}' from='${DOMAIN}' to='${region.hostname}'>${child}</iq>`,
  ];
  const publish = (inner: string): string =>
    `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${TOKEN}'><item>${inner}</item></publish></pubsub>`;
  const summary = `<field var='last-message-body'><value>${body}</value></field>`;
  return new Map([
    iq("strange-1", `<vCard xmlns='vcard-temp'><NOTE>${body}</NOTE></vCard>`),
    iq("strange-2", `<query xmlns='${sender}'>${body}</query>`, "get"),
    iq(
      "strange-3",
      publish(`<notification xmlns='urn:xmpp:push:0'>${body.repeat(2_000)}${summary}</notification>`),
    ),
    iq(
      "strange-4",
      publish(
        `<notification xmlns='urn:xmpp:push:0'>${"<a>".repeat(40)}${body}${"</a>".repeat(40)}</notification>`,
      ),
    ),
    iq(
      "strange-5",
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish><item id='${body}'/></publish></pubsub>`,
    ),
  ]);
}

describe("content that servers send in clear", () => {
  it("is nowhere in the region after it went through, and not in the memory of the ingress", async () => {
    const asked = [...publishesWithCanaries(), ...strangeStanzas()];
    for (let round = 0; round < 5; round += 1) {
      for (const [id, xml] of asked) await server.ask(id, xml);
    }
    server.send(`<message from='${DOMAIN}' to='${region.hostname}'><body>${CANARIES.body}</body></message>`);
    server.send(
      `<presence from='${DOMAIN}' to='${region.hostname}'><status>${CANARIES.body}</status></presence>`,
    );
    const results = server.replies.filter(({ type }) => type === "result");
    expect(results.length).toBeGreaterThan(5 * 15);
    await until(async () => ((await region.apns.pushesTo(TOKEN)).length > 0 ? true : undefined), {
      what: "the push",
      withinMs: WITHIN,
    });
    // The newest publish may still be held by a buffer or a regular expression: one without canaries comes after it.
    await server.publish({ to: region.hostname, node: aToken("last") });

    const traces = new Map([
      ...(await logs()),
      ...(await pages()),
      ...(await redisFiles()),
      ["ledger", JSON.stringify(await region.apns.pushesTo(TOKEN))],
      ["heap of the ingress", await heapOf(region.ingress.pid)],
    ]);
    // Each search looks into the right place.
    expect(traces.get("dump.rdb")).toContain(Buffer.from(TOKEN, "hex").toString("base64url"));
    expect(traces.get("AOF")).toContain(Buffer.from(TOKEN, "hex").toString("base64url"));
    expect(traces.get("heap of the ingress")).toContain(region.hostname);
    expect(traces.get("ingress.log")).toContain(`"event":"publish-answered"`);
    expect(traces.get("/metrics")).toMatch(/^reveille_clear_content_total\{software="tigase"\} [1-9]/m);
    expect(traces.get("ledger")).toContain("mutable-content");
    expect(findIn(traces)).toEqual([]);
  });
});

function findIn(traces: ReadonlyMap<string, string>): readonly string[] {
  return [...traces].flatMap(([place, text]) =>
    Object.values(CANARIES)
      .filter((one) => text.includes(one))
      // At the level `debug`, Prosody itself logs the addresses of stanzas; in production it runs at `info`.
      .filter((one) => !(place === "front.log" && one === CANARIES.localPart))
      .map((one) => `${one} in ${place}`),
  );
}

async function logs(): Promise<readonly (readonly [string, string])[]> {
  const names = await readdir(region.logFolder);
  return Promise.all(
    names.map(async (name) => [name, await readFile(join(region.logFolder, name), "utf8")] as const),
  );
}

async function pages(): Promise<readonly (readonly [string, string])[]> {
  const urls = ["/metrics", "/status.json", "/", "/ready", "/live"].map(
    (path) => [path, `${region.sidecarUrl}${path}`] as const,
  );
  const all = [...urls, ["status page of the public", region.statusUrl] as const];
  return Promise.all(all.map(async ([name, url]) => [name, await (await fetch(url)).text()] as const));
}

/** All that Redis has in memory, as plain text, and all that it has written. */
async function redisFiles(): Promise<readonly (readonly [string, string])[]> {
  const config: unknown = JSON.parse(await readFile(region.configFile, "utf8"));
  const socket = /redis\+unix:\/\/([^"]*)/.exec(JSON.stringify(config))?.[1] ?? "";
  const cli = async (...args: readonly string[]): Promise<unknown> =>
    promisify(execFile)("redis-cli", ["-s", socket, ...args]);
  await cli("config", "set", "rdbcompression", "no");
  await cli("save");
  const folder = join(region.folder, "redis");
  const parts = await readdir(join(folder, "appendonlydir"));
  const aof = await Promise.all(
    parts.map(async (name) => readFile(join(folder, "appendonlydir", name), "latin1")),
  );
  return [
    ["dump.rdb", await readFile(join(folder, "dump.rdb"), "latin1")],
    ["AOF", aof.join("")],
  ];
}

/** A snapshot is whole when it ends as JSON does. */
async function heapOf(pid: number): Promise<string> {
  process.kill(pid, "SIGUSR2");
  return until(
    async () => {
      const name = (await readdir(FOLDER)).find(
        (file) => file.includes(`.${pid}.`) && file.endsWith(".heapsnapshot"),
      );
      const text = name === undefined ? "" : await readFile(join(FOLDER, name), "latin1");
      return text.trimEnd().endsWith("]}") ? text : undefined;
    },
    { what: "the heap snapshot", withinMs: WITHIN, everyMs: 200 },
  );
}
