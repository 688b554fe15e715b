import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  aModule,
  aPublish,
  aToken,
  ManualClock,
  openServerDouble,
  Program,
  startProsody,
  heapUsed,
} from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { readStanzas } from "./fixtures/read-stanzas.ts";
import { servedModules } from "./publish.ts";
import { receiveWith } from "./reception.ts";
import { type PendingPublish } from "./pending-publish.ts";

// Longer than the 12 characters that V8 copies out of a string instead of pointing into it.
const MODULE = aModule("monalProdiOS-sandbox");
const program = new URL("fixtures/ingress-program.ts", import.meta.url).pathname;

describe("the memory of an ingress that holds publishes", () => {
  it("takes less than 2 kB for each, whatever came with it", async () => {
    const held: PendingPublish[] = [];
    const clock = new ManualClock();
    const receive = receiveWith({
      refusal: () => undefined,
      refusesQuery: () => false,
      payerOf: (domain) => domain,
      modules: () => servedModules(new Set([MODULE]), undefined),
      queryFacts: { version: "1", statusForm: async () => "" },
      clock,
      observe: () => undefined,
      answer: () => undefined,
      accept: (waiting) => void held.push(waiting),
    });
    const path = { send: () => undefined };
    const before = heapUsed();
    for (let index = 0; index < 2_000; index += 1) {
      const xml = aPublish({
        id: `publish ${index}`,
        node: aToken(index),
        module: MODULE,
        body: "x".repeat(30_000),
      });
      for (const stanza of readStanzas(xml).stanzas) receive(stanza, path);
    }
    const each = (heapUsed() - before) / held.length;
    expect(held).toHaveLength(2_000);
    expect(each).toBeLessThan(2_000);
    expect(held.every(({ size }) => size > each / 2)).toBe(true);
  });
});

describe("the memory of an idle ingress", () => {
  it("holds nothing of the messages that came through it", async () => {
    await using opened = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "reveille-heap-"));
    opened.defer(() => rm(folder, { recursive: true }));
    await using prosody = await startProsody();
    await using ingress = await Program.start({
      name: "ingress",
      command: process.execPath,
      args: [program, prosody.secret, MODULE, prosody.service],
      folder,
    });
    await ingress.line((text) => text === "started");
    await using server = await openServerDouble({
      port: prosody.port,
      domain: "server.localhost",
      secret: prosody.secret,
    });
    const canaries = ["canary-sender", "canary-body", "canary-nickname", "canary-local-part", aToken()];
    for (let times = 0; times < 50; times += 1) {
      const xml = aPublish({
        id: String(times),
        from: "canary-local-part@server.localhost",
        node: aToken(),
        module: MODULE,
        sender: "canary-sender@capulet.example/balcony",
        body: `canary-body ${"x".repeat(times * 20)}`,
      });
      const nickname =
        "<groupchat xmlns='http://tigase.org/protocol/muc#offline'><nickname>canary-nickname</nickname></groupchat>";
      server.send(xml.replace("</notification>", `${nickname}</notification>`));
    }
    await server.ask("last", aPublish({ id: "last", node: aToken(), module: MODULE }));
    ingress.signal("SIGUSR2");
    const { text } = await ingress.line((line) => line.startsWith("snapshot "), 30_000);
    const snapshot = await readFile(join(folder, text.slice("snapshot ".length)), "utf8");
    expect(snapshot).toContain("push.localhost");
    expect(canaries.filter((canary) => snapshot.includes(canary))).toEqual([]);
  });
});
