import { describe, expect, it } from "vitest";

import { readReplies } from "./fixtures/read-reply.ts";
import { answerQuery } from "./query.ts";
import { type QueryPayload } from "./stanza.ts";

const address = { id: "q1", from: "romeo@example.com/orchard", to: "push.example.net" };
const facts = { version: "1.2.3", statusForm: (from: string) => `<x><value>${from}</value></x>` };

const answer = (query: QueryPayload["query"], node?: string, action?: string): string =>
  answerQuery(address, { query, node, action }, facts);

const COMMANDS = "http://jabber.org/protocol/commands";

describe("the answer to a query", () => {
  it("names a push service in disco#info (XEP-0357 §4.2)", () => {
    const xml = answer("disco-info");
    expect(readReplies(xml)).toMatchObject([
      { type: "result", id: "q1", to: address.from, from: address.to },
    ]);
    expect(xml).toContain("<identity category='pubsub' type='push'");
    const features = ["urn:xmpp:push:0", "urn:xmpp:ping", "http://jabber.org/protocol/disco#info", COMMANDS];
    for (const feature of features) expect(xml).toContain(`<feature var='${feature}'/>`);
  });

  it("has no items", () => {
    expect(answer("disco-items")).toContain("<query xmlns='http://jabber.org/protocol/disco#items'/>");
  });

  it.each(["disco-info", "disco-items"] as const)("knows no node but those of commands in %s", (query) => {
    expect(readReplies(answer(query, "x"))).toMatchObject([{ condition: "item-not-found" }]);
  });

  it("lists the command, and says what it is (XEP-0050 §2)", () => {
    const items = answer("disco-items", COMMANDS);
    expect(readReplies(items)).toMatchObject([{ type: "result", elements: ["iq", "query", "item"] }]);
    expect(items).toContain("<item jid='push.example.net' node='status'");
    expect(answer("disco-info", COMMANDS)).toContain("category='automation' type='command-list'");
    const node = answer("disco-info", "status");
    expect(node).toContain("category='automation' type='command-node'");
    expect(node).toContain("<feature var='jabber:x:data'/>");
  });

  it.each([undefined, "execute", "next", "complete"])("runs the command when asked to %s", (action) => {
    const xml = answer("command", "status", action);
    expect(readReplies(xml)).toMatchObject([
      { type: "result", elements: ["iq", "command", "x", "value"], text: address.from },
    ]);
    expect(xml).toContain("status='completed'");
  });

  it("cancels it without a word, refuses other actions and other commands", () => {
    expect(answer("command", "status", "cancel")).toMatch(/ status='canceled'><\/command>/);
    expect(readReplies(answer("command", "status", "prev"))).toMatchObject([{ condition: "bad-request" }]);
    expect(readReplies(answer("command", "other"))).toMatchObject([{ condition: "item-not-found" }]);
    expect(readReplies(answer("command"))).toMatchObject([{ condition: "item-not-found" }]);
  });

  it("is empty for a ping and names the version", () => {
    expect(readReplies(answer("ping"))).toMatchObject([{ elements: ["iq"] }]);
    expect(answer("version")).toContain("<name>Reveille</name><version>1.2.3</version>");
  });

  it("is cancel/service-unavailable for all else", () => {
    expect(readReplies(answer("unsupported"))).toMatchObject([
      { type: "error", errorType: "cancel", condition: "service-unavailable" },
    ]);
  });
});
