import { readFileSync } from "node:fs";

import { type Counted, epochMillis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { CLEAR_CONTENT_ADVICE } from "./ad-hoc/clear-content-advice.ts";
import { SERVICE, statusForm } from "./ad-hoc/status-form.ts";
import { oracles } from "./fixtures/oracles.ts";
import { type ReadReply, readReplies } from "./fixtures/read-reply.ts";
import {
  DOUBTED,
  busyStanza,
  noSuchNodeStanza,
  REPLIES,
  replyStanza,
  unknownActionStanza,
  unsupportedStanza,
} from "./reply.ts";

const text = readFileSync(new URL("../../../docs/xmpp-admins.md", import.meta.url), "utf8");
const servers = oracles.map(({ server }) => server).join(" | ");
const address = { id: "1", from: "example.org", to: "eu.push.example" };

/** Rows of the table whose first line is `head`, cell by cell. */
function tableOf(head: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const first = lines.indexOf(head);
  const body = lines.slice(first + 2);
  const rows = body.slice(
    0,
    body.findIndex((line) => !line.startsWith("|")),
  );
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const read = (xml: string): ReadReply => {
  const [reply] = readReplies(xml);
  if (reply === undefined) throw new Error("no reply");
  return reply;
};
const toPublishes = [...Object.values(REPLIES), DOUBTED]
  .filter(({ reply }) => reply !== "accepted")
  .map((answer) => read(replyStanza(address, answer)));
const nameOf = ({ errorType, condition }: ReadReply): string => `\`${errorType}/${condition}\``;
const WORDS = { keeps: "keeps", counts: "16th", deletes: "drops" } as const;

describe("docs/xmpp-admins.md", () => {
  it("has every error that a publish can get, with its text and what each server makes of it", () => {
    const written = tableOf(`| error | text | meaning | what to do | ${servers} | seen with |`).map(
      ([error, words, , , ...reactions]) => [error, words, ...reactions.slice(0, oracles.length)].join(" | "),
    );
    const spoken = toPublishes.map((reply) =>
      [nameOf(reply), reply.text, ...oracles.map(({ reactsTo }) => WORDS[reactsTo(reply)])].join(" | "),
    );
    expect(new Set(written)).toEqual(new Set(spoken));
    expect(written).toHaveLength(spoken.length);
  });

  it("has every error that something else can get", () => {
    const others = [unsupportedStanza, noSuchNodeStanza, unknownActionStanza, busyStanza].map((stanza) =>
      read(stanza(address)),
    );
    const written = tableOf("| error | text | meaning | seen with |").map(([error, words]) => [error, words]);
    expect(others.map((reply) => [nameOf(reply), reply.text])).toEqual(written);
  });

  it("says of each line with which versions it was seen, one by one, or that it was not", () => {
    const rows = text
      .split("\n\n")
      .filter((block) => /^\|.*\| seen with \|\n/.test(block))
      .flatMap((block) => block.trim().split("\n").slice(2));
    const vague = rows.filter(
      (row) => !/(?:\w \d+\.\d\S*[^|]*|by source|by report, version not noted|–) \|$/.test(row),
    );
    expect(vague).toEqual([]);
    // All tables that are about servers have the column; the states of the service are our own.
    const tables = [...text.matchAll(/^\|-.*\|$/gm)];
    expect([...text.matchAll(/\| seen with \|$/gm)]).toHaveLength(tables.length - 1);
  });

  it("names the settings that the ad-hoc command advises", () => {
    const advised = Object.values(CLEAR_CONTENT_ADVICE).flatMap((advice) =>
      [...advice.matchAll(/[a-z]+(?:[._-][a-z]+)+/g)].map(([setting]) => setting),
    );
    expect(advised.length).toBeGreaterThan(8);
    expect(advised.filter((setting) => !text.includes(setting))).toEqual([]);
  });

  it("shows the form of the ad-hoc command as it is", () => {
    const counts = new Map<Counted, number>([
      ["queued", 10],
      ["later", 5],
      ["no-device-token", 1],
      ["in-clear", 3],
      ["reached", 1],
    ]);
    const xml = statusForm({
      service: "ready",
      domain: "twice.example",
      record: {
        count: (what) => counts.get(what) ?? 0,
        since: epochMillis(Date.UTC(2026, 10, 25, 13, 47, 58)),
        clearSoftware: "tigase",
      },
      by: "region",
      limit: "1000 a second, 20000 at once; not exceeded in the last hour",
      exact: true,
    });
    const shown = [...xml.matchAll(/ label='([^']*)'><value>([^<]*)</g)].map(
      ([, label, value]) => `${label}: ${value}`,
    );
    expect(shown).toHaveLength(22);
    const [, block = ""] = /\n```\n(Push notifications of twice\.example\n[^`]*)\n```\n/.exec(text) ?? [];
    const form = ["Push notifications of twice.example", ...shown];
    expect(block.split("\n")).toEqual(form.map((line) => line.replaceAll("&#39;", "'")));
  });

  it("has every state of the service that the form can show", () => {
    expect(tableOf("| state | meaning |").map(([state]) => state)).toEqual(Object.values(SERVICE));
  });
});
