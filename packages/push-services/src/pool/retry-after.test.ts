import { epochMillis, minutes, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { pauseOf } from "./retry-after.ts";

/** 30 Nov 2026 12:00:00 UTC, a Monday. */
const NOW = epochMillis(1_796_040_000_000);
const BOUNDS = { least: seconds(1), most: minutes(60) };

describe("a Retry-After", () => {
  it.each([
    ["120", seconds(120)],
    ["0", seconds(1)],
    ["999999999", minutes(60)],
    [" 7 ", seconds(7)],
    ["Mon, 30 Nov 2026 12:02:00 GMT", minutes(2)],
    ["Monday, 30-Nov-26 12:02:00 GMT", minutes(2)],
    ["Mon Nov 30 12:02:00 2026", minutes(2)],
    ["Tue Dec  1 12:02:00 2026", minutes(60)],
    ["Sun, 06 Nov 1994 08:49:37 GMT", seconds(1)],
    ["Sunday, 06-Nov-94 08:49:37 GMT", seconds(1)],
    ["Sun Nov  6 08:49:37 1994", seconds(1)],
    ["", undefined],
    [undefined, undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["Mon, 30 Nov 2026 12:02:00 CET", undefined],
    ["Mon, 32 Nov 2026 12:02:00 GMT", undefined],
    ["Mon, 30 Nev 2026 12:02:00 GMT", undefined],
    ["2026-11-30T12:02:00Z", undefined],
  ])("of %j is a pause of %s ms", (text, pause) => {
    expect(pauseOf(text, NOW, BOUNDS)).toBe(pause);
  });

  it("as a date of any form means the time it names", () => {
    const LONG = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    const most = { least: seconds(0), most: minutes(60 * 24 * 365 * 60) };
    const isRead = (secondsAhead: number): void => {
      // Node's own calendar is the judge: an HTTP date is what `toUTCString` gives.
      const date = new Date(NOW + secondsAhead * 1_000); // eslint-disable-line no-restricted-globals
      const fix = date.toUTCString();
      const [, day = "", month = "", year = "", time = ""] = fix.split(" ");
      const forms = [
        fix,
        `${LONG[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
        `${fix.slice(0, 3)} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`,
      ];
      for (const form of forms) expect(pauseOf(form, NOW, most)).toBe(secondsAhead * 1_000);
    };
    fc.assert(fc.property(fc.nat(49 * 365 * 86_400), isRead));
  });
});
