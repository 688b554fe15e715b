import { millis, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { ConnectPace } from "./connect-pace.ts";

describe("the pace of connecting", () => {
  it("doubles its pauses from 1 s to a minute, until an attempt succeeds", () => {
    const pace = new ConnectPace(() => 1);
    const pauses: number[] = [];
    let now = millis(0);
    for (let round = 0; round < 9; round += 1) {
      pace.failed(now);
      pauses.push(pace.pause(now));
      now = millis(now + pace.pause(now));
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((each) => each * 1_000));
    pace.succeeded();
    pace.failed(now);
    expect(pace.pause(now)).toBe(seconds(1));
  });

  it("spreads its pauses from nothing to the whole", () => {
    const pace = new ConnectPace(() => 0);
    pace.failed(millis(0));
    expect(pace.pause(millis(0))).toBe(0);
  });

  it("counts attempts that fail together once", () => {
    const pace = new ConnectPace(() => 1);
    pace.failed(millis(0));
    pace.failed(millis(10));
    expect(pace.failures).toBe(1);
  });

  it("never opens more than 30 connections a minute", () => {
    const pace = new ConnectPace(() => 0);
    for (let attempt = 0; attempt < 30; attempt += 1) {
      expect(pace.pause(seconds(attempt))).toBe(0);
      pace.attempted(seconds(attempt));
    }
    expect(pace.pause(seconds(30))).toBe(seconds(30));
    expect(pace.pause(minutes(1))).toBe(0);
  });
});
