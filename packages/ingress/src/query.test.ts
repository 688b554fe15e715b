import { describe, expect, it } from "vitest";

import { readReplies } from "./fixtures/read-reply.ts";
import { answerQuery } from "./query.ts";

const address = { id: "q1", from: "romeo@example.com/orchard", to: "push.example.net" };
const answer = (query: Parameters<typeof answerQuery>[1]): string => answerQuery(address, query, "1.2.3");

describe("the answer to a query", () => {
  it("names a push service in disco#info (XEP-0357 §4.2)", () => {
    const xml = answer({ query: "disco-info", node: undefined });
    expect(readReplies(xml)).toMatchObject([
      { type: "result", id: "q1", to: address.from, from: address.to },
    ]);
    expect(xml).toContain("<identity category='pubsub' type='push'");
    for (const feature of ["urn:xmpp:push:0", "urn:xmpp:ping", "http://jabber.org/protocol/disco#info"]) {
      expect(xml).toContain(`<feature var='${feature}'/>`);
    }
  });

  it("has no items", () => {
    expect(answer({ query: "disco-items", node: undefined })).toContain(
      "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    );
  });

  it.each(["disco-info", "disco-items"] as const)("knows no nodes in %s", (query) => {
    expect(readReplies(answer({ query, node: "x" }))).toMatchObject([{ condition: "item-not-found" }]);
  });

  it("is empty for a ping and names the version", () => {
    expect(readReplies(answer({ query: "ping", node: undefined }))).toMatchObject([{ elements: ["iq"] }]);
    expect(answer({ query: "version", node: undefined })).toContain(
      "<name>Reveille</name><version>1.2.3</version>",
    );
  });

  it("is cancel/service-unavailable for all else", () => {
    expect(readReplies(answer({ query: "unsupported", node: undefined }))).toMatchObject([
      { type: "error", errorType: "cancel", condition: "service-unavailable" },
    ]);
  });
});
