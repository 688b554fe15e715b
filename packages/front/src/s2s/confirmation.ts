import { randomBytes } from "node:crypto";

import { type Clock, type Millis } from "@reveille/wakeup";
import { escapeAttribute } from "@reveille/xml";

import { PING, STREAM_MANAGEMENT } from "../stream/namespaces.ts";

/** Ids of our pings begin so, and nobody else's requests do: the front takes the answers itself. */
export const PING_PREFIX = `front-${randomBytes(9).toString("base64url")}-`;

export interface ConfirmationOptions {
  readonly clock: Clock;
  /** Least time between two questions, and how long the answer to one may take. */
  readonly every: Millis;
  readonly within: Millis;
  /** Most characters that are kept to be sent again. */
  readonly longest: number;
  readonly send: (xml: string) => void;
  /** The addresses of a ping. */
  readonly from: string;
  readonly to: string;
}

interface Unconfirmed {
  readonly xml: string;
  /** Monotonic. */
  readonly sentAt: number;
}

/**
 * Whether what we send on a stream arrives: asked by XEP-0198 where the peer has it, else by a ping (XEP-0199), whose answer
 * proves everything before it. TCP alone would not tell of a dead line for 15 minutes, in which replies vanish.
 */
export class Confirmation {
  readonly #options: ConfirmationOptions;
  /** Whether the peer counts stanzas (XEP-0198). */
  #counts = false;
  /** Sent since the stream is open, and confirmed of those. */
  #sent = 0;
  #confirmed = 0;
  /** The newest of those that are not confirmed. */
  #unconfirmed: Unconfirmed[] = [];
  #length = 0;
  /** When the question that has no answer yet was asked, and what had been sent then. */
  #asked: { readonly at: number; readonly sent: number; readonly id: string } | undefined;
  #askedAt = -Infinity;

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** The peer has said `<enabled/>`: it counts what was sent since we asked for that, before any stanza. */
  count(): void {
    this.#counts = true;
  }

  /** A stanza has been sent. */
  note(xml: string): void {
    const { clock, longest } = this.#options;
    this.#sent += 1;
    this.#unconfirmed.push({ xml, sentAt: clock.monotonic() });
    this.#length += xml.length;
    while (this.#length > longest) this.#forgetOldest();
  }

  /** To be called every second or so: asks if there is something to ask, and says whether the answer is overdue. */
  isOverdue(): boolean {
    const { clock, every, within } = this.#options;
    const now = clock.monotonic();
    if (this.#asked !== undefined) return now - this.#asked.at >= within;
    if (this.#confirmed < this.#sent && now - this.#askedAt >= every) this.#ask(now);
    return false;
  }

  /** `<a h=…/>`. */
  acknowledged(text: string): void {
    const count = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!this.#counts || !(count <= this.#sent)) return;
    this.#asked = undefined;
    this.#confirm(count);
  }

  /** The answer to a ping of ours. */
  answered(id: string): void {
    if (this.#asked?.id !== id) return;
    this.#confirm(this.#asked.sent);
    this.#asked = undefined;
  }

  get isConfirmed(): boolean {
    return this.#confirmed > 0;
  }

  /** What the peer has not confirmed and may still wait for. */
  unconfirmedSince(earliest: number): readonly string[] {
    return this.#unconfirmed.filter(({ sentAt }) => sentAt >= earliest).map(({ xml }) => xml);
  }

  #ask(now: number): void {
    const { send, from, to } = this.#options;
    const id = PING_PREFIX + randomBytes(9).toString("base64url");
    this.#asked = { at: now, sent: this.#sent, id };
    this.#askedAt = now;
    if (this.#counts) return send(`<r xmlns='${STREAM_MANAGEMENT}'/>`);
    send(
      `<iq type='get' id='${id}' from='${escapeAttribute(from)}' to='${escapeAttribute(to)}'><ping xmlns='${PING}'/></iq>`,
    );
  }

  #confirm(count: number): void {
    this.#confirmed = Math.max(this.#confirmed, count);
    while (this.#unconfirmed.length > this.#sent - this.#confirmed) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#length -= this.#unconfirmed.shift()?.xml.length ?? 0;
  }
}
