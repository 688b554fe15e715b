import { describe, expect, it } from "vitest";

import { Histogram } from "./histogram.ts";
import { type Reading } from "./reading.ts";
import { resultOf, type Seen } from "./result-of.ts";

function aReading(
  at: number,
  parts: { accepted: number; arrived?: number; ingress: number; busy: number },
): Reading {
  const sample = (value: number) => ({ at, value });
  const latencies = new Histogram();
  for (let duration = 1; duration <= 100; duration += 1) latencies.record(duration);
  return {
    at,
    profileTime: at,
    mark: {
      at,
      sent: 0,
      answers: { accepted: parts.accepted, "wait/overload": at },
      latencies: latencies.take(),
    },
    accepted: sample(parts.accepted),
    arrived: parts.arrived === undefined ? undefined : sample(parts.arrived),
    busy: sample(parts.busy),
    used: new Map([
      ["sender", sample(2 * at)],
      ["ingress", sample(parts.ingress)],
    ]),
    writes: new Map([["ingress", sample(at)]]),
    peakMemory: new Map([["ingress", 90]]),
  };
}

/** 2,000 wakeups in two seconds, for which ingress took 0.1 s of CPU and the sender 4 ms. */
const seen = (parts: Partial<Seen> = {}): Seen => ({
  trial: { stage: "ingress", latency: "publish to reply", counted: ["ingress"], setting: {} },
  timing: { load: { mode: "rate", rate: 1_000 }, warmUpSeconds: 3, cores: [0, 1] },
  before: aReading(1_000, { accepted: 500, ingress: 0, busy: 0 }),
  after: aReading(3_000, { accepted: 2_500, ingress: 100_000, busy: 604_000 }),
  checked: undefined,
  unanswered: 0,
  ...parts,
});

describe("the result of a run", () => {
  it("charges a wakeup with the CPU of the counted processes, and shows that of all", () => {
    const result = resultOf(seen());
    expect(result.wakeupsPerSecond).toBe(1_000);
    expect(result.cpuMicrosPerWakeup).toBeCloseTo(50);
    expect(result.cpuMicrosByProcess["sender"]).toBeCloseTo(2);
    expect(result.conditions.coresSharedBy).toEqual(["sender", "ingress"]);
    expect(result.conditions).toMatchObject({ mode: "rate", rate: 1_000, cores: 2, seconds: 2 });
  });

  it("counts the system calls of each process that write", () => {
    expect(resultOf(seen()).writesByProcess).toEqual({ ingress: 1 });
  });

  it("is what a second costs, when nothing is sent", () => {
    const { load, ...timing } = seen().timing;
    expect(load.mode).toBe("rate");
    const after = aReading(3_000, { accepted: 500, ingress: 20_000, busy: 0 });
    const result = resultOf(seen({ timing: { ...timing, load: { mode: "idle" } }, after }));
    expect(result).toMatchObject({ wakeupsPerSecond: 0, cpuMicrosPerWakeup: 10_000 });
  });

  it("tells the CPU of others from its own", () => {
    const { coresBusy, coresBusyByOthers } = resultOf(seen()).conditions;
    expect(coresBusy).toBeCloseTo(0.302);
    expect(coresBusyByOthers).toBeCloseTo(0.25);
  });

  it("counts no more wakeups than reached the far end", () => {
    const before = aReading(1_000, { accepted: 0, arrived: 0, ingress: 0, busy: 0 });
    const after = aReading(3_000, { accepted: 2_000, arrived: 1_000, ingress: 100_000, busy: 0 });
    const result = resultOf(seen({ before, after }));
    expect(result.wakeupsPerSecond).toBe(500);
    expect(result.cpuMicrosPerWakeup).toBeCloseTo(100);
  });

  it("shows refusals and missing answers", () => {
    expect(resultOf(seen({ unanswered: 3 })).details).toEqual({ "wait/overload": 2_000, unanswered: 3 });
  });

  it("takes its latencies from the far end where that knows them, and keeps those of the answers", () => {
    const latencies = new Histogram();
    latencies.record(250);
    const result = resultOf(seen({ checked: { latencies, lost: 0, details: { lost: 0 } } }));
    expect(result.p99Ms).toBeCloseTo(250, -1);
    expect(result.details["acceptedP50Ms"]).toBeCloseTo(50, 0);
    expect(resultOf(seen()).p50Ms).toBeCloseTo(50, 0);
  });

  it("is none when nothing came through", () => {
    const after = aReading(3_000, { accepted: 500, ingress: 0, busy: 0 });
    expect(() => resultOf(seen({ after }))).toThrow("no wakeup came through");
  });
});
