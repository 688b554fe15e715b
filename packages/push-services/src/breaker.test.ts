import { ManualClock } from "@reveille/testkit";
import { millis, minutes } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { Breaker, type Permit, type ProbeResult } from "./breaker.ts";

function aBreaker(): {
  breaker: Breaker;
  clock: ManualClock;
  changes: string[];
  send: (result: ProbeResult) => string;
} {
  const clock = new ManualClock();
  const changes: string[] = [];
  const breaker = new Breaker({
    threshold: 3,
    devices: 3,
    triesOthers: false,
    restBefore: (round) => minutes(round),
    clock,
    changed: (state) => void changes.push(state),
  });
  let device = 0;
  /** Each for another device. */
  const send = (result: ProbeResult): string => {
    device += 1;
    const permit = breaker.ask(String(device));
    if (permit.kind === "permit") breaker.heard(permit, result, { reason: "InvalidProviderToken" });
    return permit.kind;
  };
  return { breaker, clock, changes, send };
}

describe("a breaker", () => {
  it("opens after three refusals in a row, not by three in all", () => {
    const { send, changes } = aBreaker();
    for (const result of ["refused", "refused", "good", "refused", "unclear", "refused"] as const)
      send(result);
    expect(changes).toEqual([]);
    send("refused");
    expect(changes).toEqual(["open"]);
  });

  it("tells while it is open why, and for how long", async () => {
    const { breaker, clock, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(millis(20_000));
    expect(breaker.ask("2")).toEqual({ kind: "parked", because: "InvalidProviderToken", retryAfter: 40_000 });
  });

  it("lets one probe through when the rest is over, and closes if it succeeds", async () => {
    const { breaker, clock, changes, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(minutes(1));
    const probe = breaker.ask("2");
    expect(probe).toEqual({ kind: "permit", probe: true, device: "2" });
    expect(send("good")).toBe("parked");
    breaker.heard({ kind: "permit", probe: true, device: "2" }, "good", { reason: "" });
    expect(send("good")).toBe("permit");
    expect(changes).toEqual(["open", "probing", "closed"]);
  });

  it("rests longer after each failed probe", async () => {
    const { breaker, clock, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(minutes(1));
    send("refused");
    expect(breaker.ask("2")).toMatchObject({ kind: "parked", retryAfter: minutes(2) });
  });

  it("stays open for as long as the push service asks", async () => {
    const { breaker, clock, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(minutes(1));
    const probe = breaker.ask("new");
    if (probe.kind !== "permit") throw new Error("no probe");
    breaker.heard(probe, "refused", { reason: "HTTP 503", retryAfter: minutes(30) });
    expect(breaker.ask("other")).toMatchObject({ kind: "parked", retryAfter: minutes(30) });
  });

  it("probes again at once if a probe gets no answer", async () => {
    const { clock, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(minutes(1));
    expect(send("unclear")).toBe("permit");
    expect(send("good")).toBe("permit");
  });

  it("does not wait for ever for a probe that nobody hears of", async () => {
    const { breaker, clock, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    await clock.advance(minutes(1));
    expect(breaker.ask("2")).toMatchObject({ probe: true });
    expect(breaker.ask("2").kind).toBe("parked");
    await clock.advance(minutes(1));
    expect(breaker.ask("2")).toMatchObject({ probe: true });
  });

  it("learns nothing while it is open from what was sent before", () => {
    const { breaker, send, changes } = aBreaker();
    const early: Permit = { kind: "permit", probe: false, device: "early" };
    for (let count = 0; count < 3; count += 1) send("refused");
    breaker.heard(early, "good", { reason: "" });
    expect(changes).toEqual(["open"]);
  });

  it("probes at once when something was repaired", () => {
    const { breaker, send } = aBreaker();
    for (let count = 0; count < 3; count += 1) send("refused");
    breaker.probeNow();
    expect(send("good")).toBe("permit");
  });
});
