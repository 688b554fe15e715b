import { type Millis, millis, seconds } from "@reveille/wakeup";

import { type Readiness } from "./readiness.ts";

/** Traffic comes back when the host has proven to stay up. */
const READY_AFTER = seconds(5);

/**
 * Readiness against flapping: a change counts when it has lasted. At once count the first reading, and the first that is
 * ready (a host that starts). `now` is monotonic.
 */
export class Steady {
  #shown: Readiness | undefined;
  #differsSince: number | undefined;
  #patience: Millis = millis(0);
  #wasReady = false;

  get shown(): Readiness {
    return this.#shown ?? { ready: false, reasons: ["this sidecar has just started"] };
  }

  /**
   * Takes what was asked for at `now`; true if what is shown has turned. An unready host is borne for `patience`: the
   * longest since it became unready, as what it lacks last may be a consequence of what it lacked first. 0 is obeyed.
   */
  take(reading: Readiness, now: Millis, patience: Millis): boolean {
    const turns = this.#shown?.ready !== reading.ready;
    this.#patience = patience === 0 ? patience : millis(Math.max(this.#patience, patience));
    const lastsFor = reading.ready ? READY_AFTER : this.#patience;
    if (turns && this.#wasReady && !this.#hasLasted(lastsFor, now)) return false;
    this.#wasReady ||= reading.ready;
    this.#shown = reading;
    this.#differsSince = undefined;
    this.#patience = millis(0);
    return turns;
  }

  #hasLasted(lastsFor: Millis, now: Millis): boolean {
    this.#differsSince ??= now;
    return now - this.#differsSince >= lastsFor;
  }
}
