import { randomUUID } from "node:crypto";

import { type Clock, millis, type Observe, seconds } from "@reveille/wakeup";

import { type Stanza } from "../stanza.ts";
import { escapeAttribute } from "@reveille/xml";
import { type ComponentStream } from "./component-stream.ts";
import { type Front } from "./front.ts";

const EVERY = seconds(10);
const WITHIN = seconds(5);

type Reply = "pong" | "bounce" | "none";

export interface SelfPingOptions {
  readonly front: Front;
  readonly clock: Clock;
  readonly observe: Observe;
  /** The front has passed on a ping of ours, or has talked to us meanwhile. */
  readonly onLoop: () => void;
}

/**
 * Sends a ping to ourselves through the front (XEP-0199), at once and then every ten seconds, and takes a
 * front for dead from which nothing at all came back: TCP alone would notice that after many minutes.
 */
export class SelfPing {
  readonly #options: SelfPingOptions;
  /** Unguessable, so that no peer can answer in our place. */
  readonly #id = `self-ping-${randomUUID()}`;
  #count = 0;
  #settle: ((reply: Reply) => void) | undefined;

  constructor(options: SelfPingOptions) {
    this.#options = options;
  }

  /**
   * Whether the stanza is what became of our ping. A bounce (RFC 6120 §8.3) says that the front has no way to us, though
   * it talks to us.
   */
  hears({ type, id }: Stanza): boolean {
    if (id !== `${this.#id}-${this.#count}` || (type !== "result" && type !== "error")) return false;
    this.#settle?.(type === "result" ? "pong" : "bounce");
    return true;
  }

  /** Runs until the stream is over. */
  async watch(stream: ComponentStream): Promise<void> {
    while (!stream.signal.aborted) {
      await this.#ping(stream);
      await this.#options.clock.sleep(EVERY, stream.signal);
    }
  }

  async #ping(stream: ComponentStream): Promise<void> {
    const { clock, front, observe } = this.#options;
    const sentAt = clock.monotonic();
    const heard = stream.heard;
    const reply = await this.#reply(stream);
    if (stream.signal.aborted) return;
    const ok = reply === "pong";
    // A front that balances a domain over several components (ejabberd) hands the answer to any of them.
    const isAstray = reply === "none" && stream.heard > heard;
    if (!isAstray) {
      const took = millis(clock.monotonic() - sentAt);
      observe({ kind: "self-ping-settled", component: front.name, took, ok });
    }
    if (ok || isAstray) this.#options.onLoop();
    else stream.abandon(reply === "bounce" ? "self-ping bounced" : "self-ping unanswered");
  }

  async #reply(stream: ComponentStream): Promise<Reply> {
    const { clock } = this.#options;
    const settled = new AbortController();
    const { promise, resolve } = Promise.withResolvers<Reply>();
    this.#count += 1;
    this.#settle = resolve;
    stream.send(this.#stanza());
    void clock.sleep(WITHIN, AbortSignal.any([settled.signal, stream.signal])).then(() => resolve("none"));
    const reply = await promise;
    settled.abort();
    return reply;
  }

  #stanza(): string {
    const domain = escapeAttribute(this.#options.front.domain);
    const id = `${this.#id}-${this.#count}`;
    return `<iq type='get' id='${id}' from='${domain}/health' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`;
  }
}
