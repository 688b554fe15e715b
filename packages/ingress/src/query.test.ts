import { describe, expect, it } from "vitest";

import { readReplies } from "./fixtures/read-reply.ts";
import { answerQuery } from "./query.ts";
import { type QueryPayload } from "./stanza.ts";

const address = { id: "q1", from: "romeo@example.com/orchard", to: "push.example.net" };
const facts = { version: "1.2.3", statusForm: async (from: string) => `<x><value>${from}</value></x>` };

const answer = async (query: QueryPayload["query"], node?: string, action?: string): Promise<string> =>
  answerQuery(address, { query, node, action }, facts);

const COMMANDS = "http://jabber.org/protocol/commands";

describe("the answer to a query", () => {
  it("names a push service in disco#info (XEP-0357 §4.2)", async () => {
    const xml = await answer("disco-info");
    expect(readReplies(xml)).toMatchObject([
      { type: "result", id: "q1", to: address.from, from: address.to },
    ]);
    expect(xml).toContain("<identity category='pubsub' type='push'");
    const features = ["urn:xmpp:push:0", "urn:xmpp:ping", "http://jabber.org/protocol/disco#info", COMMANDS];
    for (const feature of features) expect(xml).toContain(`<feature var='${feature}'/>`);
  });

  it("has no items", async () => {
    expect(await answer("disco-items")).toContain("<query xmlns='http://jabber.org/protocol/disco#items'/>");
  });

  it.each(["disco-info", "disco-items"] as const)(
    "knows no node but those of commands in %s",
    async (query) => {
      expect(readReplies(await answer(query, "x"))).toMatchObject([{ condition: "item-not-found" }]);
    },
  );

  it("lists the command, and says what it is (XEP-0050 §2)", async () => {
    const items = await answer("disco-items", COMMANDS);
    expect(readReplies(items)).toMatchObject([{ type: "result", elements: ["iq", "query", "item"] }]);
    expect(items).toContain("<item jid='push.example.net' node='status'");
    expect(await answer("disco-info", COMMANDS)).toContain("category='automation' type='command-list'");
    const node = await answer("disco-info", "status");
    expect(node).toContain("category='automation' type='command-node'");
    expect(node).toContain("<feature var='jabber:x:data'/>");
  });

  it.each([undefined, "execute", "next", "complete"])("runs the command when asked to %s", async (action) => {
    const xml = await answer("command", "status", action);
    expect(readReplies(xml)).toMatchObject([
      { type: "result", elements: ["iq", "command", "x", "value"], text: address.from },
    ]);
    expect(xml).toContain("status='completed'");
  });

  it("cancels it without a word, refuses other actions and other commands", async () => {
    expect(await answer("command", "status", "cancel")).toMatch(/ status='canceled'><\/command>/);
    expect(readReplies(await answer("command", "status", "prev"))).toMatchObject([
      { condition: "bad-request" },
    ]);
    expect(readReplies(await answer("command", "other"))).toMatchObject([{ condition: "item-not-found" }]);
    expect(readReplies(await answer("command"))).toMatchObject([{ condition: "item-not-found" }]);
  });

  it("is empty for a ping and names the version", async () => {
    expect(readReplies(await answer("ping"))).toMatchObject([{ elements: ["iq"] }]);
    expect(await answer("version")).toContain("<name>Reveille</name><version>1.2.3</version>");
  });

  it("is cancel/service-unavailable for all else", async () => {
    expect(readReplies(await answer("unsupported"))).toMatchObject([
      { type: "error", errorType: "cancel", condition: "service-unavailable" },
    ]);
  });
});
