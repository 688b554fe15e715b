import { randomInt } from "node:crypto";

import {
  type Clock,
  type Millis,
  millis,
  minutes,
  type Observe,
  type PublishResult,
  seconds,
} from "@reveille/wakeup";

import { DistinctCount } from "./distinct-count.ts";

export interface GuardLimits {
  /** From this share of devices that would be forgotten on, something is wrong with us. */
  readonly share: number;
  /** But not with fewer such devices. */
  readonly devices: number;
}

export interface GuardOptions {
  readonly limits: GuardLimits;
  readonly clock: Clock;
  readonly observe: Observe;
}

const SLICE = minutes(1);
const SLICES = 5;
const JUDGE_EVERY = seconds(1);

interface Slice {
  readonly began: Millis;
  readonly ended: DistinctCount;
  readonly all: DistinctCount;
}

/** Replies that may be a mistake of ours: a wrong environment or topic, a module dropped from the configuration. */
const ENDING: ReadonlySet<PublishResult> = new Set(["token-dead", "unknown-module"]);
/** Replies that show a registration at work. */
const WORKING: ReadonlySet<PublishResult> = new Set(["queued", "later", "merged"]);

/**
 * Watches how many of the devices of the last five minutes we would have their servers forget. One wrong setting
 * makes every token look dead; then nobody is forgotten until the share is below half its limit again.
 */
export class RegistrationGuard {
  readonly #options: GuardOptions;
  readonly #salt = randomInt(2 ** 32);
  #slices: Slice[] = [];
  #judgedAt = millis(0);
  #on = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Whether to tell the sender `wait` in place of a reply that ends the registration of this device token. */
  doubts(result: PublishResult, device: string): boolean {
    const isEnding = ENDING.has(result);
    if (!isEnding && !WORKING.has(result)) return false;
    const now = this.#options.clock.monotonic();
    const slice = this.#sliceOf(now);
    const hash = this.#hashOf(device);
    slice.all.add(hash);
    const isNews = isEnding && slice.ended.add(hash);
    if ((isNews && !this.#on) || now - this.#judgedAt >= JUDGE_EVERY) this.#judge(now);
    return isEnding && this.#on;
  }

  /** A token ends in chance, unless somebody made it up: he must not know what it will be mixed to. */
  #hashOf(token: string): number {
    const mixed = Math.imul(Number.parseInt(token.slice(-8), 16) ^ this.#salt, 0x45d9f3b);
    return Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b) >>> 0;
  }

  #sliceOf(now: Millis): Slice {
    const newest = this.#slices.at(-1);
    if (newest !== undefined && now - newest.began < SLICE) return newest;
    const slice = { began: now, ended: new DistinctCount(), all: new DistinctCount() };
    this.#slices = [...this.#slices.filter(({ began }) => now - began < SLICE * SLICES), slice];
    return slice;
  }

  #judge(now: Millis): void {
    this.#judgedAt = now;
    const { limits, observe } = this.#options;
    const devices = this.#count(({ ended }) => ended);
    const share =
      devices /
      Math.max(
        1,
        this.#count(({ all }) => all),
      );
    const isOver = devices >= limits.devices && share >= limits.share;
    const isUnder = devices < limits.devices / 2 || share < limits.share / 2;
    if (this.#on ? !isUnder : !isOver) return;
    this.#on = !this.#on;
    observe({ kind: "registration-guard-changed", state: this.#on ? "on" : "off", share, devices });
  }

  #count(of: (slice: Slice) => DistinctCount): number {
    const sum = new DistinctCount();
    for (const slice of this.#slices) sum.join(of(slice));
    return sum.estimate;
  }
}
