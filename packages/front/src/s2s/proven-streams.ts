import { type InboundStream } from "./inbound-stream.ts";

/** Streams of peers by the domains that they have proven; the oldest first. */
export class ProvenStreams {
  readonly #ofDomain = new Map<string, Set<InboundStream>>();
  readonly #most: number;

  /** `most` streams of one domain. */
  constructor(most: number) {
    this.#most = most;
  }

  /** A stream has proven a domain; the oldest stream of that domain if it has too many now. */
  add(domain: string, stream: InboundStream): InboundStream | undefined {
    const streams = this.#ofDomain.get(domain) ?? new Set();
    this.#ofDomain.set(domain, streams.add(stream));
    if (streams.size <= this.#most) return undefined;
    const [oldest] = streams;
    if (oldest !== undefined) streams.delete(oldest);
    return oldest;
  }

  remove(stream: InboundStream): void {
    for (const domain of stream.domains) {
      const streams = this.#ofDomain.get(domain);
      streams?.delete(stream);
      if (streams?.size === 0) this.#ofDomain.delete(domain);
    }
  }

  /**
   * The newest stream on which the peer takes replies of this hostname (XEP-0288): an older one may lead to a peer that has
   * lost it.
   */
  forReplies(domain: string, hostname: string): InboundStream | undefined {
    let newest: InboundStream | undefined;
    for (const stream of this.#ofDomain.get(domain) ?? [])
      if (stream.isBidi && stream.hostname === hostname) newest = stream;
    return newest;
  }
}
