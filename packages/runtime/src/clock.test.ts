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

  it("sleeps on when Node's timers reach no further, and wakes up as soon as the signal aborts", async () => {
    const stop = new AbortController();
    const long = systemClock.sleep(millis(2 ** 31), stop.signal).then(() => "long");
    const short = systemClock.sleep(millis(50)).then(() => "short");
    expect(await Promise.race([long, short])).toBe("short");
    stop.abort();
    expect(await long).toBe("long");
  });

  it("does not sleep at all on an aborted signal", async () => {
    expect(await systemClock.sleep(millis(2 ** 40), AbortSignal.abort())).toBeUndefined();
  });
});
