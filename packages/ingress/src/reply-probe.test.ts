import { ManualClock } from "@reveille/testkit";
import { hours, minutes } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { ReplyProbe } from "./reply-probe.ts";
import { type Stanza, UNSUPPORTED } from "./stanza.ts";

const OURS = "eu.push.example";

function aProbe() {
  const clock = new ManualClock();
  const sent: string[] = [];
  const told: (readonly [string, boolean])[] = [];
  const probe = new ReplyProbe({ clock, onAnswer: (...answer) => void told.push(answer) });
  const path = { send: (xml: string) => void sent.push(xml) };
  const answer = (type: "result" | "error", condition?: string): Stanza => ({
    name: "iq",
    type,
    id: /id='([^']+)'/.exec(sent.at(-1) ?? "")?.[1],
    from: "sender.example",
    to: OURS,
    payload: UNSUPPORTED,
    error: type === "error" ? { type: "cancel", condition } : undefined,
    excessive: false,
  });
  const publish = (domain = "sender.example") => probe.answered(domain, OURS, path);
  return { clock, sent, told, probe, answer, publish };
}

describe("the probe of replies", () => {
  it("pings a sending domain once an hour", async () => {
    const { clock, sent, publish } = aProbe();
    publish();
    publish();
    expect(sent).toEqual([expect.stringContaining(`from='${OURS}' to='sender.example'><ping `)]);
    await clock.advance(hours(1));
    publish();
    expect(sent).toHaveLength(2);
  });

  it.each([
    ["result", undefined, true],
    // A server without XEP-0199.
    ["error", "service-unavailable", true],
    ["error", "remote-server-not-found", false],
    ["error", "remote-server-timeout", false],
  ] as const)("takes %s %s as: reached %s, once", (type, condition, isReached) => {
    const { told, probe, answer, publish } = aProbe();
    publish();
    const stanza = answer(type, condition);
    expect([probe.hears(stanza), probe.hears(stanza)]).toEqual([true, false]);
    expect(told).toEqual([["sender.example", isReached]]);
  });

  it("counts a domain by its last answer, for two hours after it published last", async () => {
    const { clock, probe, answer, publish } = aProbe();
    publish();
    expect(probe.reach()).toEqual({ reached: 0, unreached: 0 });
    probe.hears(answer("error", "remote-server-not-found"));
    expect(probe.reach()).toEqual({ reached: 0, unreached: 1 });
    await clock.advance(minutes(90));
    publish();
    // Until the second ping is answered the first says how it is.
    expect(probe.reach()).toEqual({ reached: 0, unreached: 1 });
    probe.hears(answer("result"));
    expect(probe.reach()).toEqual({ reached: 1, unreached: 0 });
    await clock.advance(hours(2));
    expect(probe.reach()).toEqual({ reached: 0, unreached: 0 });
  });

  it("takes no ping that somebody else made up, and no silence", async () => {
    const { clock, told, probe, answer, publish } = aProbe();
    publish();
    expect(probe.hears({ ...answer("result"), id: "another" })).toBe(false);
    const late = answer("result");
    await clock.advance(hours(1));
    publish();
    await clock.advance(minutes(1));
    expect([probe.hears(late), told]).toEqual([false, []]);
  });

  it("uses ids of which none tells the next, so that a domain cannot answer for another", () => {
    const { probe, told, answer, publish } = aProbe();
    publish("hostile.example");
    const own = answer("result").id ?? "";
    publish("sender.example");
    const next = own.replace(/\d+$/, (count) => String(Number(count) + 1));
    probe.hears({ ...answer("result"), id: next });
    expect(told.map(([domain]) => domain)).not.toContain("sender.example");
  });

  it("pings 4,096 domains an hour at most, each of them once, however many publish", async () => {
    const { clock, sent, publish } = aProbe();
    const publishAll = () => {
      for (let index = 0; index < 5_000; index += 1) publish(`${index}.example`);
    };
    publishAll();
    await clock.advance(minutes(6));
    publishAll();
    expect(sent).toHaveLength(4_096);
    await clock.advance(hours(1));
    publish("new.example");
    expect(sent.at(-1)).toContain("to='new.example'");
  });
});
