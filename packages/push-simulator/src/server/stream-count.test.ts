import { describe, expect, it } from "vitest";

import { FRAME } from "./frames.ts";
import { StreamCount } from "./stream-count.ts";

/** Counts with a limit of two; tells how many streams were too many. */
function counted(steps: (count: StreamCount) => void): number {
  let excess = 0;
  steps(
    new StreamCount(
      () => 2,
      () => (excess += 1),
    ),
  );
  return excess;
}

const open = (count: StreamCount, ...streams: readonly number[]): void => {
  for (const stream of streams) count.onFrame(FRAME.headers, stream);
};

describe("the count of open streams", () => {
  it("tells each stream beyond the limit", () => {
    expect(counted((count) => open(count, 1, 3, 5, 7))).toBe(2);
  });

  it("takes trailers for what they are", () => {
    expect(counted((count) => open(count, 1, 1, 3, 3, 1))).toBe(0);
  });

  it("makes room for streams that were answered or reset by the client", () => {
    const excess = counted((count) => {
      open(count, 1, 3);
      count.closed(1);
      open(count, 5);
      count.onFrame(FRAME.resetStream, 3);
      open(count, 7);
    });
    expect(excess).toBe(0);
  });
});
