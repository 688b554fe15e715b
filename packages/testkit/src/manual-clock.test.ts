import { millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { ManualClock } from "./manual-clock.ts";

describe("the manual clock", () => {
  it("wakes sleepers in the order of their times and not before", async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    void clock.sleep(seconds(2)).then(() => woken.push("second"));
    void clock.sleep(seconds(1)).then(() => woken.push("first"));
    await clock.advance(millis(999));
    expect(woken).toEqual([]);
    await clock.advance(seconds(2));
    expect(woken).toEqual(["first", "second"]);
  });

  it("wakes a sleeper early when its signal aborts", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const sleep = clock.sleep(seconds(60), stop.signal);
    stop.abort();
    await sleep;
    expect(clock.sleepers).toBe(0);
  });
});
