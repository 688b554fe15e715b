import { describe, expect, it } from "vitest";

import { busyTicks, busyTimeOf, peakMemoryOf, processorTimeOf, ticksOfStat } from "./proc.ts";

describe("processor time", () => {
  it("is read behind a process name that holds spaces and brackets", () => {
    const line = "42 (a) b (c)) S 1 42 42 0 -1 4194560 12 0 0 0 100 20 3 4 20 0 11 0 5 6 7";
    expect(ticksOfStat(line)).toBe(127);
  });

  it("of the machine counts the chosen cores only, and not their idle time", () => {
    const stat =
      "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 100 50 4 5 6 0 0\ncpu1 1 0 0 100 0 0 0 0 0 0\ncpu10 9 9 9\n";
    expect(busyTicks(stat, [0])).toBe(21);
    expect(busyTicks(stat, [0, 1])).toBe(22);
  });

  it("of this process grows while it works, and the machine's by no less", async () => {
    const before = await processorTimeOf(process.pid);
    const machineBefore = await busyTimeOf([0, 1, 2, 3, 4, 5, 6, 7]);
    const start = process.cpuUsage();
    const used = (): number => process.cpuUsage(start).user + process.cpuUsage(start).system;
    while (used() < 60_000);
    expect(await processorTimeOf(process.pid)).toBeGreaterThanOrEqual(before + 50_000);
    expect(await busyTimeOf([0, 1, 2, 3, 4, 5, 6, 7])).toBeGreaterThanOrEqual(machineBefore + 30_000);
  });

  it("comes with the memory a process had at most", async () => {
    expect(await peakMemoryOf(process.pid)).toBeGreaterThanOrEqual(process.memoryUsage.rss() / 2 ** 20 - 10);
  });

  it("fails for a process that is not there", async () => {
    await expect(processorTimeOf(2 ** 30)).rejects.toThrow("ENOENT");
  });
});
