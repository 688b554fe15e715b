import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What a dialback key speaks for (XEP-0220): the receiving server, the originating server, the id of the stream. */
export interface KeyOwner {
  readonly receiving: string;
  readonly originating: string;
  readonly streamId: string;
}

/**
 * Dialback keys by XEP-0185: they need no memory, so any front with the same secret can answer for a key that another
 * one made.
 */
export class DialbackKeys {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = createHash("sha256").update(secret).digest("hex");
  }

  keyFor({ receiving, originating, streamId }: KeyOwner): string {
    return createHmac("sha256", this.#secret).update(`${receiving} ${originating} ${streamId}`).digest("hex");
  }

  isKeyFor(owner: KeyOwner, key: string): boolean {
    const [expected, given] = [Buffer.from(this.keyFor(owner)), Buffer.from(key.trim())];
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}
