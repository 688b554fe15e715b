import { ManualClock } from "@reveille/testkit";
import { epochMillis, millis, type PublishResult, type PushEvent } from "@reveille/wakeup";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";

import { type RegionCountsPort, type SenderLimit } from "../ports.ts";
import { StatusCommand } from "./status-command.ts";

const TOKEN = "ab".repeat(32);

function aStatusCommand(regionCounts?: RegionCountsPort) {
  const answered: PublishResult[] = [];
  const events: PushEvent[] = [];
  const limits = new Map<string, SenderLimit>([
    ["a.example", { perSecond: 0.5, burst: 5 }],
    ["blocked.example", "blocked"],
  ]);
  const statusCommand = new StatusCommand({
    clock: new ManualClock(),
    service: () => "ready",
    limitOf: (domain) => limits.get(domain),
    regionCounts,
  });
  const answer = statusCommand.counting((_, result) => void answered.push(result));
  const publish = (from: string, result: PublishResult): void => {
    const path = { send: () => undefined };
    answer({ address: { id: "1", from, to: "push.example" }, path, since: millis(0), device: TOKEN }, result);
  };
  return {
    statusCommand,
    publish,
    answered,
    events,
    observe: statusCommand.watching((event) => void events.push(event)),
  };
}

/** The form's values by field, as a strict parser reads them; throws if it is not well-formed. */
function read(form: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  const parser = new SaxesParser();
  let name = "";
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => {
    name = tag.name === "field" ? String(tag.attributes["var"]) : name;
  });
  parser.on("text", (text) => void (values[name] = text));
  parser.write(form).close();
  return values;
}

describe("what a domain is told", () => {
  it("is about the asking domain alone", async () => {
    const { statusCommand, publish, answered } = aStatusCommand();
    publish("a.example", "queued");
    publish("user@a.example", "token-dead");
    publish("a.example/tigase", "over-limit");
    publish("b.example", "queued");
    expect(answered).toEqual(["queued", "token-dead", "over-limit", "queued"]);
    expect(read(await statusCommand.formFor("a.example"))).toMatchObject({
      FORM_TYPE: "urn:x-reveille:domain-status:1",
      service: "ready: publishes are accepted",
      figures: "exact",
      "result-queued": "1",
      "result-token-dead": "1",
      "result-over-limit": "1",
      "result-blocked": "0",
      limit: "30 publishes a minute, 5 at once; exceeded in the last hour",
      "clear-content": "none",
    });
    expect(read(await statusCommand.formFor("other.example"))).toMatchObject({
      "result-queued": "0",
      limit: "none",
    });
    expect(read(await statusCommand.formFor("blocked.example"))["limit"]).toBe(
      "blocked by the operator of this service",
    );
  });

  it("gives accounts steps of ten, so that nobody sees a single push of another", async () => {
    const { statusCommand, publish } = aStatusCommand();
    const asked = async () => read(await statusCommand.formFor("user@a.example/phone"));
    const atFirst = await asked();
    expect(atFirst["result-queued"]).toBe("fewer than 10");
    for (let count = 0; count < 9; count += 1) publish("a.example", "queued");
    expect(await asked()).toEqual(atFirst);
    for (let count = 0; count < 14; count += 1) publish("a.example", "queued");
    expect((await asked())["result-queued"]).toBe("20 or more");
    expect(read(await statusCommand.formFor("a.example/resource-with-an@sign"))["result-queued"]).toBe("23");
  });

  it("says how to switch off content in clear, for the software that sent it", async () => {
    const { statusCommand, events, observe } = aStatusCommand();
    observe({ kind: "clear-content-seen", software: "tigase", domain: "a.example" });
    expect(events).toHaveLength(1);
    const told = read(await statusCommand.formFor("a.example"));
    expect(told["clear-content"]).toBe("1; we drop both unread");
    expect(told["clear-content-advice"]).toContain("'with-body' = false");
    expect(read(await statusCommand.formFor("user@a.example"))["clear-content"]).toBe(
      "fewer than 10; we drop both unread",
    );
    expect(read(await statusCommand.formFor("b.example"))).toMatchObject({ "clear-content": "none" });
  });

  it("is well-formed for any address", async () => {
    const { statusCommand } = aStatusCommand();
    for (const from of ["<&'\">.example", "a@<b>/]]>", "", "@", "/"]) {
      expect(read(await statusCommand.formFor(from))["result-queued"]).toBeDefined();
    }
  });

  it("is what the whole region has counted, and says so", async () => {
    const regionCounts: RegionCountsPort = {
      add: async () => undefined,
      of: async (domain) =>
        domain === "crowd.example"
          ? "no-room"
          : { count: () => 7, since: epochMillis(Date.UTC(2026, 0, 1, 9)), clearSoftware: undefined },
    };
    const { statusCommand, publish, observe } = aStatusCommand(regionCounts);
    await using _ = statusCommand;
    publish("a.example", "queued");
    publish("crowd.example", "queued");
    observe({ kind: "clear-content-seen", software: "tigase", domain: "a.example" });
    expect(read(await statusCommand.formFor("a.example"))).toMatchObject({
      since: "2026-01-01 09:00:00 UTC, by the whole region",
      "result-queued": "7",
      limit: "30 publishes a minute, 5 at once; exceeded in the last hour",
      "clear-content": "7; we drop both unread",
    });
    expect(read(await statusCommand.formFor("crowd.example"))).toMatchObject({
      since:
        "2026-01-01 00:00:00 UTC, by one process of the region alone, since the region has too many domains to count",
      "result-queued": "1",
    });
  });

  it("is what this process knows, and says so, while the region's counts are out of reach", async () => {
    const away = async (): Promise<never> => Promise.reject(new Error("away"));
    const { statusCommand, publish } = aStatusCommand({ add: away, of: away });
    await using _ = statusCommand;
    publish("a.example", "queued");
    expect(read(await statusCommand.formFor("a.example"))).toMatchObject({
      since:
        "2026-01-01 00:00:00 UTC, by one process of the region alone, since the region's counts are out of reach",
      "result-queued": "1",
    });
  });
});
