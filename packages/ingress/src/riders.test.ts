import { aModule, aToken, aWakeup } from "@reveille/testkit";
import { epochMillis } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { withRiders } from "./riders.ts";

describe("a wakeup that leaves for others of its micro-batch", () => {
  it("counts as received with the newest of them, and is urgent if one of them is", () => {
    const first = aWakeup({ urgent: false, receivedAt: epochMillis(1_000) });
    const riders = [
      aWakeup({ urgent: true, receivedAt: epochMillis(9_000) }),
      aWakeup({ urgent: false, receivedAt: epochMillis(20_000) }),
    ];
    expect(withRiders([first], riders)).toEqual([{ ...first, urgent: true, receivedAt: 20_000 }]);
  });

  it("is untouched by wakeups of other devices and modules", () => {
    const first = aWakeup();
    const later = { urgent: true, receivedAt: epochMillis(first.receivedAt + 5) };
    const others = [aWakeup({ ...later, token: aToken(2) }), aWakeup({ ...later, module: aModule("other") })];
    expect(withRiders([first], others)).toEqual([first]);
  });
});
