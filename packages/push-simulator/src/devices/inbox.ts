import { type Push } from "../ledger.ts";

const KEPT = 100;

/** What one device shows, and what Apple keeps for it while it is offline. */
export class Inbox {
  #shown: Push[] = [];
  // Made when first needed: most devices never go offline, and there may be a hundred thousand.
  #stored: Map<string, Push> | undefined;

  /** The newest hundred, oldest first. */
  get shown(): readonly Push[] {
    return this.#shown;
  }

  /** At most one notification per app. */
  get stored(): readonly Push[] {
    return [...(this.#stored?.values() ?? [])];
  }

  /** A notification reaches the device; it replaces one of the same app with the same collapse id. */
  show(push: Push): void {
    const id = push.headers["apns-collapse-id"];
    const others =
      id === undefined
        ? this.#shown
        : this.#shown.filter((one) => one.headers["apns-collapse-id"] !== id || one.topic !== push.topic);
    this.#shown = [...others, push].slice(-KEPT);
  }

  /** The device is offline: the newest notification of an app replaces the one before. */
  store(push: Push, now: number): void {
    if (isExpired(push, now)) return;
    this.#stored ??= new Map();
    this.#stored.set(push.topic ?? "", push);
  }

  /** The device is back: it gets what was stored and has not expired meanwhile. */
  flush(now: number): void {
    for (const push of this.stored) if (!isExpired(push, now)) this.show(push);
    this.#stored = undefined;
  }
}

/** `apns-expiration` 0 means: try once, never store. Without the header Apple stores as it likes. */
function isExpired(push: Push, now: number): boolean {
  const expiration = push.headers["apns-expiration"];
  return expiration !== undefined && Number(expiration) * 1_000 <= now;
}
