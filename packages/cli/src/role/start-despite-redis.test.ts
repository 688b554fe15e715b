import { ManualClock } from "@reveille/testkit";
import { millis } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { startDespiteRedis } from "./start-despite-redis.ts";

const LOST = new Error("Connection is closed.");

/** Fails so often before it works. */
function aStart(failures: readonly Error[]) {
  const left = [...failures];
  const start = vi.fn<() => Promise<string>>(async () => {
    const failure = left.shift();
    if (failure !== undefined) throw failure;
    return "started";
  });
  const [clock, stop] = [new ManualClock(), new AbortController()];
  const told: unknown[] = [];
  const onAway = (error: unknown): void => void told.push(error);
  return {
    start,
    clock,
    told,
    stop,
    started: startDespiteRedis({ start, onAway, clock, stop: stop.signal }),
  };
}

describe("the start of a role", () => {
  it("is begun again as often as Redis goes away before it is done", async () => {
    const { start, clock, told, started } = aStart([LOST, LOST]);
    for (const round of [1, 2]) {
      await vi.waitFor(() => expect(clock.sleepers).toBe(1));
      expect(start).toHaveBeenCalledTimes(round);
      await clock.advance(millis(200));
    }
    expect(await started).toBe("started");
    expect(told).toEqual([LOST, LOST]);
  });

  it("fails at once of anything else", async () => {
    const { start, started } = aStart([new Error("cannot read AuthKey.p8")]);
    await expect(started).rejects.toThrow("cannot read AuthKey.p8");
    expect(start).toHaveBeenCalledOnce();
  });

  it("is given up when the process is told to stop", async () => {
    const { clock, started, stop } = aStart([LOST, LOST]);
    await vi.waitFor(() => expect(clock.sleepers).toBe(1));
    stop.abort();
    await expect(started).rejects.toThrow("Connection is closed.");
  });
});
