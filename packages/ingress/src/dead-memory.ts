import { createHmac, randomBytes } from "node:crypto";

import { type Clock, type Millis, type Wakeup } from "@reveille/wakeup";

export interface DeadMemoryOptions {
  readonly clock: Clock;
  /** How long a device is answered for without asking Redis; 0 switches it off. */
  readonly keepFor: Millis;
  /** Most devices; those that were marked longest ago are forgotten first. */
  readonly most: number;
}

/**
 * Devices that admission has called dead in the last moments. Some servers go on publishing for them for ever (Prosody 13
 * counts no error), and each publish would cost a decision in Redis. Redis stays the truth: it is asked again after `keepFor`,
 * so a device whose mark has ended or was lifted is woken by then. Keyed by a hash with a key of this process.
 */
export class DeadMemory {
  readonly #options: DeadMemoryOptions;
  readonly #key = randomBytes(32);
  /** Until when, by the monotonic clock; the earliest first, since all are kept for as long. */
  readonly #until = new Map<string, number>();

  constructor(options: DeadMemoryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#until.size;
  }

  /** Admission has called its device dead. */
  add(wakeup: Wakeup): void {
    const { clock, keepFor, most } = this.#options;
    if (keepFor === 0) return;
    const device = this.#hashOf(wakeup);
    if (this.#until.has(device)) return;
    this.#until.set(device, clock.monotonic() + keepFor);
    for (const oldest of this.#until.keys()) {
      if (this.#until.size <= most) break;
      this.#until.delete(oldest);
    }
  }

  /** Whether its device was called dead within `keepFor`. */
  has(wakeup: Wakeup): boolean {
    this.#forgetOld();
    // Most of the time there is none, and then a publish costs no hash.
    return this.#until.size > 0 && this.#until.has(this.#hashOf(wakeup));
  }

  #forgetOld(): void {
    const now = this.#options.clock.monotonic();
    for (const [device, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(device);
    }
  }

  #hashOf({ token, module }: Wakeup): string {
    return createHmac("sha256", this.#key).update(`${module} ${token}`).digest("base64url").slice(0, 22);
  }
}
