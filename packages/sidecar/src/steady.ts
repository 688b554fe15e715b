import { type Millis, seconds } from "@reveille/wakeup";

import { type Readiness } from "./readiness.ts";

/** A restart of a process takes about a second; that alone should not move the host's traffic. */
const UNREADY_AFTER = seconds(2);
/** Traffic comes back when the host has proven to stay up. */
const READY_AFTER = seconds(5);

/**
 * Readiness against flapping: a change counts when it has lasted. The first reading counts at once. `now` is
 * monotonic.
 */
export class Steady {
  #shown: Readiness | undefined;
  #differsSince: number | undefined;

  get shown(): Readiness {
    return this.#shown ?? { ready: false, reasons: ["this sidecar has just started"] };
  }

  /** Takes a reading; true if what is shown has turned. */
  take(reading: Readiness, now: Millis): boolean {
    if (this.#shown === undefined || reading.ready === this.#shown.ready) {
      const first = this.#shown === undefined;
      this.#shown = reading;
      this.#differsSince = undefined;
      return first;
    }
    this.#differsSince ??= now;
    if (now - this.#differsSince < (reading.ready ? READY_AFTER : UNREADY_AFTER)) return false;
    this.#shown = reading;
    this.#differsSince = undefined;
    return true;
  }
}
