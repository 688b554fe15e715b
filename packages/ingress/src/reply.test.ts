import { type PublishResult } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type HeardReply, isDeletedAfter, oracles } from "./fixtures/oracles.ts";
import { readReplies } from "./fixtures/read-reply.ts";
import { DOUBTED, REPLIES, replyStanza } from "./reply.ts";

const address = { id: "rr-1=+/", from: "example.com/res", to: "push.example.net" };

const results: readonly [PublishResult, HeardReply][] = [
  ["queued", { type: "result" }],
  ["later", { type: "result" }],
  ["merged", { type: "result" }],
  ["token-dead", { type: "error", errorType: "cancel", condition: "item-not-found" }],
  ["no-device-token", { type: "error", errorType: "cancel", condition: "item-not-found" }],
  ["module-changed", { type: "error", errorType: "wait", condition: "remote-server-timeout" }],
  ["unknown-module", { type: "error", errorType: "cancel", condition: "item-not-found" }],
  ["malformed", { type: "error", errorType: "wait", condition: "bad-request" }],
  ["over-budget", { type: "error", errorType: "wait", condition: "service-unavailable" }],
  ["over-limit", { type: "error", errorType: "wait", condition: "service-unavailable" }],
  ["blocked", { type: "error", errorType: "cancel", condition: "not-allowed" }],
  ["not-a-server", { type: "error", errorType: "cancel", condition: "not-allowed" }],
  ["overload", { type: "error", errorType: "wait", condition: "remote-server-timeout" }],
  ["draining", { type: "error", errorType: "wait", condition: "remote-server-timeout" }],
  ["our-trouble", { type: "error", errorType: "wait", condition: "remote-server-timeout" }],
];

const one = (xml: string) => {
  const [reply, ...others] = readReplies(xml);
  if (reply === undefined || others.length > 0) throw new Error("not one reply");
  return reply;
};

describe("the reply contract", () => {
  it("covers every result of a publish", () => {
    expect(results.map(([result]) => result).toSorted()).toEqual(Object.keys(REPLIES).toSorted());
  });

  it.each(results)("says for %s %o, with the addresses as received", (result, heard) => {
    const reply = one(replyStanza(address, REPLIES[result]));
    expect(reply).toMatchObject({ ...heard, id: address.id, from: address.to, to: address.from });
    expect(reply.elements).toEqual(
      heard.type === "result" ? ["iq"] : ["iq", "error", heard.condition, "text"],
    );
    expect(reply.text.length > 0).toBe(heard.type === "error");
  });

  it.each(results)(
    "never lets a server forget a registration for %s unless it is the end of it",
    (result) => {
      const reply = one(replyStanza(address, REPLIES[result]));
      const deleting = oracles
        .filter((oracle) => isDeletedAfter(16, reply, oracle))
        .map(({ server }) => server);
      const all = ["Prosody 0.12", "ejabberd", "MongooseIM", "Tigase"];
      expect(deleting).toEqual(REPLIES[result].reply === "forget" ? all : []);
    },
  );

  it("has a dead token cleaned up at once by all that clean up at once, and by Prosody the 16th time", () => {
    const reply = one(replyStanza(address, REPLIES["token-dead"]));
    const after = (times: number) =>
      oracles.filter((oracle) => isDeletedAfter(times, reply, oracle)).map(({ server }) => server);
    expect(after(1)).toEqual(["ejabberd", "MongooseIM", "Tigase"]);
    expect(after(16)).toEqual(["Prosody 0.12", "ejabberd", "MongooseIM", "Tigase"]);
  });

  it("keeps registrations everywhere while our own settings are doubted", () => {
    const reply = one(replyStanza(address, DOUBTED));
    expect(oracles.filter((oracle) => isDeletedAfter(1_000, reply, oracle))).toEqual([]);
  });

  it("repeats any id and address so that the receiver reads exactly what was sent", () => {
    const text = fc.string({ unit: "grapheme" }).filter((value) => /^[\t\n\r\u0020-\uFFFD]*$/u.test(value));
    fc.assert(
      fc.property(text, text, text, (id, from, to) => {
        for (const [result] of results) {
          expect(one(replyStanza({ id, from, to }, REPLIES[result]))).toMatchObject({
            id,
            from: to,
            to: from,
          });
        }
      }),
    );
  });
});

describe("the oracles", () => {
  it.each([
    ["wait", "remote-server-timeout", []],
    ["wait", "resource-constraint", ["Tigase"]],
    ["wait", "policy-violation", ["Tigase"]],
    ["modify", "bad-request", ["Prosody 0.12", "ejabberd"]],
    ["modify", "not-acceptable", ["Prosody 0.12", "ejabberd", "Tigase"]],
    ["cancel", "bad-request", ["Prosody 0.12", "ejabberd", "MongooseIM"]],
    ["auth", "forbidden", ["Prosody 0.12", "ejabberd", "Tigase"]],
    ["cancel", "service-unavailable", ["Prosody 0.12", "ejabberd", "MongooseIM"]],
  ])("know who deletes after 16 times %s/%s", (errorType, condition, servers) => {
    const reply = { type: "error", errorType, condition } as const;
    const deleting = oracles.filter((oracle) => isDeletedAfter(16, reply, oracle));
    expect(deleting.map(({ server }) => server)).toEqual(servers);
  });
});
