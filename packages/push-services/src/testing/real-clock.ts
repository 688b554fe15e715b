import { setTimeout as pause } from "node:timers/promises";

import { type Clock, epochMillis, millis } from "@reveille/wakeup";

/** The machine's time, for tests in which sockets and latencies have to run against it. */
export const realClock: Clock = {
  now: () => epochMillis(Math.floor(performance.timeOrigin + performance.now())),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => {
    // Aborted is as good as over.
    await pause(duration, undefined, { signal }).catch(() => undefined);
  },
};
