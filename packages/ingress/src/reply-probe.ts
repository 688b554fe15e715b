import { randomUUID } from "node:crypto";

import { escapeAttribute } from "@reveille/xml";
import { type Clock, detached, hours, type Millis, minutes } from "@reveille/wakeup";

import { type ReplyPath } from "./answer.ts";
import { type Stanza } from "./stanza.ts";

/** A domain is asked again after this. */
const EVERY = hours(1);
/** A domain that has not published for this long is forgotten; longer than the time between two pings and the wait for the second. */
const FORGET_AFTER = hours(2);
/** Longer than any front tries to reach a server: Prosody 90 s, ejabberd 120 s. */
const WITHIN = minutes(5);
/** Most domains that are remembered as asked, and most pings without an answer. */
const MOST = 4_096;

/** The conditions by which a front says that it could not deliver (RFC 6120 §8.3.3.16 and 17). */
const UNREACHED: ReadonlySet<string | undefined> = new Set([
  "remote-server-not-found",
  "remote-server-timeout",
]);

/** Sending domains of the last two hours by what became of the last ping to each. */
export interface RepliesReach {
  readonly reached: number;
  readonly unreached: number;
}

interface Asked {
  readonly since: Millis;
  /** By the last ping that was answered; `undefined`: none was. */
  isReached: boolean | undefined;
}

export interface ReplyProbeOptions {
  readonly clock: Clock;
  /** What became of a ping to this domain. Silence says nothing and is not told. */
  readonly onAnswer: (domain: string, isReached: boolean) => void;
}

/**
 * Finds out whether replies reach a sending domain. Without XEP-0288 the front needs a connection to the sender's server for
 * them; when it gets none it drops the reply without a word, since a result is never bounced (RFC 6120 §8.3.1). It does
 * bounce a ping (XEP-0199), which therefore goes to each sending domain once an hour, after a reply.
 */
export class ReplyProbe {
  readonly #options: ReplyProbeOptions;
  /** When each domain was asked last, by the monotonic clock, and whether it was reached; the longest ago first. */
  readonly #asked = new Map<string, Asked>();
  readonly #pending = new Map<string, { readonly domain: string; readonly since: Millis }>();

  constructor(options: ReplyProbeOptions) {
    this.#options = options;
  }

  /** A publish of this domain to `ours` was answered on `path`. */
  answered(domain: string, ours: string, path: ReplyPath): void {
    const now = this.#options.clock.monotonic();
    const last = this.#asked.get(domain);
    if (last !== undefined && now - last.since < EVERY) return;
    this.#forgetOldest(now);
    const isFull = last === undefined && this.#asked.size >= MOST;
    if (isFull || this.#pending.size >= MOST) return;
    const name = detached(domain);
    this.#asked.delete(name);
    this.#asked.set(name, { since: now, isReached: last?.isReached });
    // New for each ping, so that a domain that was pinged cannot answer in the place of others.
    const id = `reply-probe-${randomUUID()}`;
    this.#pending.set(id, { domain: name, since: now });
    path.send(
      `<iq type='get' id='${id}' from='${escapeAttribute(ours)}' to='${escapeAttribute(domain)}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
  }

  /** Whether the stanza is what became of a ping of ours. Any answer of the server itself, an error included, is one. */
  hears({ type, id, error }: Stanza): boolean {
    if (id === undefined || (type !== "result" && type !== "error")) return false;
    const asked = this.#pending.get(id);
    if (asked === undefined) return false;
    this.#pending.delete(id);
    const isReached = type === "result" || !UNREACHED.has(error?.condition);
    const known = this.#asked.get(asked.domain);
    if (known !== undefined) known.isReached = isReached;
    this.#options.onAnswer(asked.domain, isReached);
    return true;
  }

  reach(): RepliesReach {
    this.#forgetOldest(this.#options.clock.monotonic());
    const counts = { reached: 0, unreached: 0 };
    for (const { isReached } of this.#asked.values())
      if (isReached !== undefined) counts[isReached ? "reached" : "unreached"] += 1;
    return counts;
  }

  #forgetOldest(now: Millis): void {
    for (const [id, { since }] of this.#pending) {
      if (now - since < WITHIN) break;
      this.#pending.delete(id);
    }
    for (const [domain, { since }] of this.#asked) {
      // Those that were asked within the hour keep their places: others' domains would be pinged at each publish.
      const age = now - since;
      if (age < EVERY || (age < FORGET_AFTER && this.#asked.size < MOST)) break;
      this.#asked.delete(domain);
    }
  }
}
