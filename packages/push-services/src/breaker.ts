import { type Clock, type Millis, millis, type Outcome } from "@reveille/wakeup";

export type BreakerState = "closed" | "open" | "probing";

export interface BreakerOptions {
  /** So many refusals in a row are a suspicion … */
  readonly threshold: number;
  /** … and of so many devices a proof: it opens. One device may be refused for reasons of its own. */
  readonly devices: number;
  /** Opened by devices, it is tried at once with each that was not refused yet. */
  readonly triesOthers: boolean;
  /** How long it stays open before the `round`-th probe, counted from 1. */
  readonly restBefore: (round: number) => Millis;
  readonly clock: Clock;
  readonly changed: (state: BreakerState, because: string | undefined) => void;
}

/** What a request has shown: `unclear` if it never got an answer. */
export type ProbeResult = "good" | "refused" | "unclear";

/** A permit to send, handed back with what came of it. */
export interface Permit {
  readonly kind: "permit";
  readonly probe: boolean;
  /** Secret: the device asked for. `undefined`: one that cannot exist, whose refusal is nobody's own fault. */
  readonly device: string | undefined;
}

/** What came with an outcome. */
export interface Shown {
  readonly reason: string;
  readonly retryAfter?: Millis | undefined;
}

/** The part of an outcome that a breaker looks at. */
export const shownBy = (outcome: Outcome): Shown => {
  if (outcome.kind === "delivered") return { reason: "" };
  return { reason: outcome.reason, retryAfter: "retryAfter" in outcome ? outcome.retryAfter : undefined };
};

export interface Parked {
  readonly kind: "parked";
  readonly because: string;
  /** When asking again may be of use. */
  readonly retryAfter: Millis;
}

/** Refused devices are remembered so far. */
const MOST_DEVICES = 1_000;

/** Stops sending what is refused anyway, and tries with one request at a time whether that has changed. */
export class Breaker {
  readonly #options: BreakerOptions;
  /** Devices refused since the last good result, oldest first. */
  readonly #refused = new Set<string>();
  #state: BreakerState = "closed";
  #because = "";
  #refusals = 0;
  /** How many of them a push to nobody has not had its say on. */
  #unasked = 0;
  #round = 0;
  #nextProbe = millis(0);
  /** Opened since many devices were refused, though one that cannot exist was not. */
  #byDevices = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  get because(): string {
    return this.#because;
  }

  /** Closed, but refused so often in a row that a push to nobody should show whether the devices are at fault. */
  get suspects(): boolean {
    return this.#state === "closed" && this.#unasked >= this.#options.threshold;
  }

  /** A push to this device shows less than one to nobody: it was refused before. */
  doubts(device: string): boolean {
    return !this.#byDevices && this.#refused.has(device);
  }

  ask(device: string | undefined): Permit | Parked {
    if (this.#state === "closed") return { kind: "permit", probe: false, device };
    const wait = this.#nextProbe - this.#options.clock.monotonic();
    // A device that was not refused yet may be as healthy as most: it need not wait.
    const isNews =
      this.#options.triesOthers &&
      this.#byDevices &&
      this.#state === "open" &&
      device !== undefined &&
      !this.#refused.has(device);
    if (wait > 0 && !isNews) return { kind: "parked", because: this.#because, retryAfter: millis(wait) };
    // Should this probe never be heard of, the next one is due a rest later.
    this.#rest();
    this.#become("probing", undefined);
    return { kind: "permit", probe: true, device };
  }

  /** While it is not closed, only probes tell something new: the rest was sent before. */
  heard({ probe, device }: Permit, result: ProbeResult, { reason, retryAfter }: Shown): void {
    if (this.#state !== "closed" && !probe) return;
    switch (result) {
      case "good":
        // Nobody's push says nothing of what is only looked at for devices that exist.
        if (device === undefined && this.#state === "closed") this.#unasked = 0;
        else this.reset();
        return;
      case "refused":
        this.#refuse(device, reason);
        // Named by the push service, and within an hour.
        if (this.#state === "open" && retryAfter !== undefined) this.#restFor(retryAfter);
        return;
      case "unclear":
        if (probe) this.probeNow();
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
    this.#unasked = 0;
    this.#refused.clear();
    this.#round = 0;
    this.#byDevices = false;
    this.#become("closed", undefined);
  }

  #refuse(device: string | undefined, because: string): void {
    this.#refusals += 1;
    this.#unasked += 1;
    if (device !== undefined) this.#remember(device);
    if (this.#state === "closed") {
      const { threshold, devices } = this.#options;
      const isProven = this.#refusals >= threshold && this.#refused.size >= devices;
      if (device !== undefined && !isProven) return;
      this.#byDevices = device !== undefined;
    } else if (device === undefined) {
      this.#byDevices = false;
    }
    this.#because = because;
    this.#round += 1;
    this.#rest();
    this.#become("open", because);
  }

  #remember(device: string): void {
    this.#refused.add(device);
    if (this.#refused.size <= MOST_DEVICES) return;
    for (const oldest of this.#refused) return void this.#refused.delete(oldest);
  }

  #rest(): void {
    this.#nextProbe = millis(
      this.#options.clock.monotonic() + this.#options.restBefore(Math.max(1, this.#round)),
    );
  }

  #restFor(atLeast: Millis): void {
    const until = millis(this.#options.clock.monotonic() + atLeast);
    if (until > this.#nextProbe) this.#nextProbe = until;
  }

  #become(state: BreakerState, because: string | undefined): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.changed(state, because);
  }
}
