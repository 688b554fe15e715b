import { randomUUID } from "node:crypto";

import { type Clock, millis, type Observe, seconds } from "@reveille/wakeup";

import { escapeAttribute } from "@reveille/xml";
import { type ComponentStream } from "./component-stream.ts";
import { type Front } from "./front.ts";
import { type PingReply } from "./pending-pings.ts";
import { type StreamGroup } from "./stream-group.ts";

const EVERY = seconds(10);
const WITHIN = seconds(5);
/** How long the first ping waits for the other streams of the component. */
const WHOLE_WITHIN = seconds(2);

export interface SelfPingOptions {
  readonly front: Front;
  /** The streams of the component; that of `watch` is one of them. */
  readonly group: StreamGroup;
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

  constructor(options: SelfPingOptions) {
    this.#options = options;
  }

  /** Runs until the stream is over. */
  async watch(stream: ComponentStream): Promise<void> {
    const { clock, group } = this.#options;
    if (!group.isWhole) await Promise.race([group.whole, clock.sleep(WHOLE_WITHIN, stream.signal)]);
    while (!stream.signal.aborted) {
      await this.#ping(stream);
      await clock.sleep(EVERY, stream.signal);
    }
  }

  async #ping(stream: ComponentStream): Promise<void> {
    const { clock, front, group, observe } = this.#options;
    const wasWhole = group.isWhole;
    const sentAt = clock.monotonic();
    const heard = stream.heard;
    const reply = await this.#reply(stream);
    if (stream.signal.aborted) return;
    // It may have gone to the place of a stream that is not there: that one's health says so.
    if (reply === "none" && !(wasWhole && group.isWhole)) return;
    const ok = reply === "pong";
    // A front that balances a domain over several processes (ejabberd) may hand the answer to another one.
    const isAstray = reply === "none" && stream.heard > heard;
    if (!isAstray) {
      const took = millis(clock.monotonic() - sentAt);
      observe({ kind: "self-ping-settled", component: front.name, took, ok });
    }
    if (ok || isAstray) this.#options.onLoop();
    else stream.abandon(reply === "bounce" ? "self-ping bounced" : "self-ping unanswered");
  }

  async #reply(stream: ComponentStream): Promise<PingReply> {
    const { clock, group } = this.#options;
    const settled = new AbortController();
    const { promise, resolve } = Promise.withResolvers<PingReply>();
    this.#count += 1;
    const id = `${this.#id}-${this.#count}`;
    group.pending.expect(id, resolve);
    stream.send(this.#stanza(id));
    void clock.sleep(WITHIN, AbortSignal.any([settled.signal, stream.signal])).then(() => resolve("none"));
    const reply = await promise;
    group.pending.forget(id);
    settled.abort();
    return reply;
  }

  #stanza(id: string): string {
    const domain = escapeAttribute(this.#options.front.domain);
    return `<iq type='get' id='${id}' from='${domain}/health' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`;
  }
}
