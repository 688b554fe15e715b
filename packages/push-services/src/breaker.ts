import { type Clock, type Millis, millis } from "@reveille/wakeup";

export type BreakerState = "closed" | "open" | "probing";

export interface BreakerOptions {
  /** So many refusals in a row, and it opens. */
  readonly threshold: number;
  /** How long it stays open before the `round`-th probe, counted from 1. */
  readonly restBefore: (round: number) => Millis;
  readonly clock: Clock;
  readonly changed: (state: BreakerState, because: string | undefined) => void;
}

/** What a request has shown: `unclear` if it never got an answer. */
export type Sign = "good" | "refused" | "unclear";

/** Leave to send; handed back with what came of it. */
export interface Leave {
  readonly kind: "leave";
  readonly probe: boolean;
}

export interface Parked {
  readonly kind: "parked";
  readonly because: string;
  /** When asking again may be of use. */
  readonly retryAfter: Millis;
}

const LEAVE: Leave = { kind: "leave", probe: false };
const PROBE: Leave = { kind: "leave", probe: true };

/** Stops sending what is refused anyway, and tries with one request at a time whether that has changed. */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = "closed";
  #because = "";
  #refusals = 0;
  #round = 0;
  #nextProbe = millis(0);

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  get because(): string {
    return this.#because;
  }

  ask(): Leave | Parked {
    if (this.#state === "closed") return LEAVE;
    const wait = this.#nextProbe - this.#options.clock.monotonic();
    if (wait > 0) return { kind: "parked", because: this.#because, retryAfter: millis(wait) };
    // Should this probe never be heard of, the next one is due a rest later.
    this.#rest();
    this.#become("probing", undefined);
    return PROBE;
  }

  /** While it is not closed, only probes tell something new: the rest was sent before. */
  heard(leave: Leave, sign: Sign, because: string): void {
    if (this.#state !== "closed" && !leave.probe) return;
    switch (sign) {
      case "good":
        this.reset();
        return;
      case "refused":
        this.#refusals += 1;
        if (this.#refusals < this.#options.threshold) return;
        this.#because = because;
        this.#round += 1;
        this.#rest();
        this.#become("open", because);
        return;
      case "unclear":
        if (leave.probe) this.probeNow();
    }
  }

  /** Something was repaired: the next request is a probe. */
  probeNow(): void {
    if (this.#state === "closed") return;
    this.#nextProbe = this.#options.clock.monotonic();
    this.#become("open", this.#because);
  }

  /** As it was at the start. */
  reset(): void {
    this.#refusals = 0;
    this.#round = 0;
    this.#become("closed", undefined);
  }

  #rest(): void {
    this.#nextProbe = millis(
      this.#options.clock.monotonic() + this.#options.restBefore(Math.max(1, this.#round)),
    );
  }

  #become(state: BreakerState, because: string | undefined): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.changed(state, because);
  }
}
