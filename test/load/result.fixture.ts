import { type Result } from "./result.ts";

/** Name only what the test is about. */
export const aResult = (parts: Partial<Result> = {}): Result => ({
  stage: "ingress",
  wakeupsPerSecond: 4_999.987,
  cpuMicrosPerWakeup: 12.345,
  cpuMicrosByProcess: { sender: 1.5, ingress: 12.345 },
  writesByProcess: { sender: 1.25, ingress: 2 },
  p50Ms: 0.5049,
  p99Ms: 2.5,
  conditions: {
    mode: "saturation",
    inFlight: 500,
    latency: "publish to reply",
    counted: ["ingress"],
    cores: 2,
    coresSharedBy: ["sender", "ingress"],
    coresBusy: 1.25,
    coresBusyByOthers: 0.5,
    seconds: 5,
    warmUpSeconds: 3,
    processor: "a processor",
    node: "v24",
    setting: { apns: "nginx" },
  },
  details: { lost: 0 },
  peakMemoryMiB: { sender: 80, ingress: 120 },
  ...parts,
});
