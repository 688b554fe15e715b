import { ManualClock } from "@reveille/testkit";
import { minutes } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { Fillers } from "./fillers.ts";

function store(fillers: Fillers, payer: string, count: number): void {
  for (let index = 0; index < count; index += 1) fillers.add(payer);
}

describe("the domains that fill Redis", () => {
  it("are those with a quarter of what was stored lately", () => {
    const fillers = new Fillers(new ManualClock());
    store(fillers, "evil.example", 1_000);
    for (let domain = 0; domain < 300; domain += 1) store(fillers, `${domain}.example`, 10);
    expect(fillers.has("evil.example")).toBe(true);
    expect(fillers.has("7.example")).toBe(false);
    expect(fillers.has("unheard.example")).toBe(false);
  });

  it("are none while little was stored", () => {
    const fillers = new Fillers(new ManualClock());
    store(fillers, "a.example", 999);
    expect(fillers.has("a.example")).toBe(false);
    store(fillers, "a.example", 1);
    expect(fillers.has("a.example")).toBe(true);
  });

  it("are forgotten when they have stored nothing for twenty minutes", async () => {
    const clock = new ManualClock();
    const fillers = new Fillers(clock);
    store(fillers, "evil.example", 2_000);
    await clock.advance(minutes(11));
    expect(fillers.has("evil.example")).toBe(true);
    await clock.advance(minutes(11));
    store(fillers, "good.example", 1_000);
    expect(fillers.has("evil.example")).toBe(false);
  });

  it("are found however many names somebody makes up", () => {
    const fillers = new Fillers(new ManualClock());
    store(fillers, "evil.example", 50_000);
    for (let domain = 0; domain < 100_000; domain += 1) fillers.add(`${domain}.example`);
    expect(fillers.has("evil.example")).toBe(true);
    expect(fillers.has("99999.example")).toBe(false);
  });
});
