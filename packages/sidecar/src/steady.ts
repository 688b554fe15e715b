import { type Millis, seconds } from "@reveille/wakeup";

import { type Readiness } from "./readiness.ts";

/** A restart of a process takes about a second; that alone should not move the host's traffic. */
const UNREADY_AFTER = seconds(1.5);
/** Traffic comes back when the host has proven to stay up. */
const READY_AFTER = seconds(5);

/**
 * Readiness against flapping: a change counts when it has lasted. At once count the first reading, the first that is
 * ready (a host that starts), and one that is `meant`. `now` is monotonic.
 */
export class Steady {
  #shown: Readiness | undefined;
  #differsSince: number | undefined;
  #wasReady = false;

  get shown(): Readiness {
    return this.#shown ?? { ready: false, reasons: ["this sidecar has just started"] };
  }

  /** Takes what was asked for at `now`; true if what is shown has turned. `meant`: somebody wants it to be so. */
  take(reading: Readiness, now: Millis, meant = false): boolean {
    const turns = this.#shown?.ready !== reading.ready;
    if (turns && this.#wasReady && !meant && !this.#hasLasted(reading, now)) return false;
    this.#wasReady ||= reading.ready;
    this.#shown = reading;
    this.#differsSince = undefined;
    return turns;
  }

  #hasLasted({ ready }: Readiness, now: Millis): boolean {
    this.#differsSince ??= now;
    return now - this.#differsSince >= (ready ? READY_AFTER : UNREADY_AFTER);
  }
}
