import { describe, expect, it } from "vitest";

import { tokenOf } from "../tokens.ts";
import { arrivalsOf, requestsOf } from "./nginx.ts";

describe("the far end", () => {
  it("counts requests as nginx states them", () => {
    const status =
      "Active connections: 3 \nserver accepts handled requests\n 7 7 4200 \nReading: 0 Writing: 1 Waiting: 2 \n";
    expect(requestsOf(status)).toBe(4200);
    expect(() => requestsOf("<html>")).toThrow("no status");
  });

  it("knows which wakeups it accepted, and when", () => {
    const tokens = [3, 5, 3].map(tokenOf);
    const [first, refused, second] = tokens.map((token) => `/3/device/${token}`);
    const log = `1700000000.123 ${first} 200\n1700000000.124 ${refused} 400\n1700000000.125 ${second} 200\n`;
    const { first: times, again } = arrivalsOf(log);
    expect([3, 5].map((index) => times[index])).toEqual([1_700_000_000_123, Number.NaN]);
    expect(again).toBe(1);
  });
});
