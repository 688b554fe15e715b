/** A bucket per device: `burst` pushes at once, and one more every `refillMs`. */
export interface Throttle {
  readonly burst: number;
  readonly refillMs: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** The buckets of all devices. */
export class Buckets {
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one push out of the device's bucket; false if it is empty. */
  take(token: string, throttle: Throttle, now: number): boolean {
    const { burst, refillMs } = throttle;
    const bucket = this.#buckets.get(token) ?? { left: burst, at: now };
    bucket.left = Math.min(burst, bucket.left + Math.max(0, now - bucket.at) / refillMs);
    bucket.at = now;
    this.#buckets.set(token, bucket);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  clear(): void {
    this.#buckets.clear();
  }
}
