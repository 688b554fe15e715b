import { describe, expect, it } from "vitest";

import { ledgerOf, requestsOf } from "./apns.ts";

describe("the far end", () => {
  it("counts requests as nginx states them", () => {
    const status =
      "Active connections: 3 \nserver accepts handled requests\n 7 7 4200 \nReading: 0 Writing: 1 Waiting: 2 \n";
    expect(requestsOf(status)).toBe(4200);
    expect(() => requestsOf("<html>")).toThrow("no status");
  });

  it("gives token and time of the pushes that it accepted", () => {
    const log = "1700000000.123 /3/device/abcd 200\n1700000000.124 /3/device/ef01 400\n";
    expect(ledgerOf(log)).toEqual([{ at: 1_700_000_000_123, token: "abcd" }]);
  });
});
