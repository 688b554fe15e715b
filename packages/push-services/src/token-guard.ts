import { type Clock, minutes, type Outcome } from "@reveille/wakeup";

/** Below so many answers a share says nothing. */
const LEAST_ANSWERS = 20;
const ON_ABOVE = 0.25;
const OFF_BELOW = 0.1;
const WINDOW = minutes(5);
/** Long enough for people to mend the configuration, and for a handful of attempts within a wakeup's deadline. */
const RETRY_AFTER = minutes(15);

interface Count {
  readonly since: number;
  answers: number;
  suspected: number;
}

/**
 * Doubts that a token is dead while a large share of a module's tokens is refused as bad, and until this process has
 * delivered a push of the module: its environment or topic may be wrong, and declaring tokens dead would wipe out the
 * registrations of all its devices. A share says nothing of a module with few devices; a delivery does.
 */
export class TokenGuard {
  readonly #clock: Clock;
  readonly #changed: (state: "on" | "off") => void;
  #now: Count;
  #before: Count;
  #on = false;
  /** Environment and topic are right: Apple has taken a push. */
  #proven = false;

  constructor(clock: Clock, changed: (state: "on" | "off") => void) {
    this.#clock = clock;
    this.#changed = changed;
    this.#now = this.#fresh();
    this.#before = this.#fresh();
  }

  /**
   * The outcome as it may be believed. A device that never had a push (`isNew`) may be an invention of a stranger: that it
   * is refused says nothing of our settings, and its push is not repeated.
   */
  check(outcome: Outcome, isNew = false): Outcome {
    if (outcome.kind !== "token-dead" && outcome.kind !== "delivered") return outcome;
    if (outcome.kind === "delivered") this.#proven = true;
    const suspected = outcome.kind === "token-dead" && outcome.proof === "suspected";
    if (suspected && isNew) return this.#on || !this.#proven ? { ...outcome, proof: "doubted" } : outcome;
    this.#count(suspected);
    return suspected && (this.#on || !this.#proven)
      ? { kind: "unreachable", reason: outcome.reason, retryAfter: RETRY_AFTER }
      : outcome;
  }

  /** Doubts no more. */
  reset(): void {
    this.#become(false);
  }

  #count(suspected: boolean): void {
    const age = this.#clock.monotonic() - this.#now.since;
    if (age >= WINDOW) {
      this.#before = age < 2 * WINDOW ? this.#now : this.#fresh();
      this.#now = this.#fresh();
    }
    this.#now.answers += 1;
    if (suspected) this.#now.suspected += 1;
    const answers = this.#now.answers + this.#before.answers;
    const share = (this.#now.suspected + this.#before.suspected) / answers;
    const on = answers >= LEAST_ANSWERS && share > (this.#on ? OFF_BELOW : ON_ABOVE);
    this.#become(on);
  }

  #become(on: boolean): void {
    if (on === this.#on) return;
    this.#on = on;
    this.#changed(on ? "on" : "off");
  }

  #fresh(): Count {
    return { since: this.#clock.monotonic(), answers: 0, suspected: 0 };
  }
}
