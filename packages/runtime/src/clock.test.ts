import { millis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { systemClock } from "./index.ts";

describe("the system's clock", () => {
  it("tells wall-clock and monotonic time", () => {
    expect(systemClock.now()).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(systemClock.monotonic()).toBeLessThanOrEqual(systemClock.monotonic());
  });

  it("sleeps as long as asked", async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(millis(20));
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(19);
  });

  it("wakes up as soon as the signal aborts, also from a sleep longer than Node's timers reach", async () => {
    const stop = new AbortController();
    const asleep = systemClock.sleep(millis(2 ** 40), stop.signal);
    stop.abort();
    expect(await asleep).toBeUndefined();
  });

  it("does not sleep at all on an aborted signal", async () => {
    expect(await systemClock.sleep(millis(2 ** 40), AbortSignal.abort())).toBeUndefined();
  });
});
