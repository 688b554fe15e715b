import { expect, it } from "vitest";

import { Departed } from "./departed.ts";
import { counter, gauge, metrics } from "./testing/some-metrics.ts";

it("ten thousand processes that have come and gone leave one series each, with all they counted", () => {
  const departed = new Departed(metrics.merge);
  for (let gone = 0; gone < 10_000; gone += 1) departed.add([counter(3), gauge(gone)]);
  expect(departed.families).toEqual([counter(30_000)]);
});
