import { FLAG, FRAME } from "./frames.ts";

/** Streams reset by the server whose client may not know yet (RFC 9113 §5.4.2). */
const MOST_CUT = 1_000;

/**
 * Finds frames that a client sends on a stream it has ended itself, or on an identifier it has passed over
 * (RFC 9113 §5.1, §5.1.1). nghttp2 ignores these, which would hide a mistake of the client.
 */
export class ClosedStreams {
  readonly #misused: () => void;
  /** Streams that the client may still send on. */
  readonly #open = new Set<number>();
  /** Those of them that the server has closed, oldest first. */
  readonly #cut = new Set<number>();
  #highest = 0;

  constructor(misused: () => void) {
    this.#misused = misused;
  }

  onFrame(type: number, stream: number, flags: number): void {
    // 0 and even numbers are nghttp2's to refuse.
    if (stream % 2 === 0) return;
    if (type === FRAME.resetStream) return this.#ended(stream);
    if (type !== FRAME.data && type !== FRAME.headers) return;
    if (stream > this.#highest && type === FRAME.headers) {
      this.#highest = stream;
      this.#open.add(stream);
    }
    if (stream <= this.#highest && !this.#open.has(stream)) return this.#misused();
    if ((flags & FLAG.endStream) !== 0) this.#ended(stream);
  }

  /** The server has closed the stream; frames of the client may be on their way. */
  closed(stream: number): void {
    if (!this.#open.has(stream)) return;
    this.#cut.add(stream);
    if (this.#cut.size <= MOST_CUT) return;
    for (const oldest of this.#cut) return this.#ended(oldest);
  }

  #ended(stream: number): void {
    this.#open.delete(stream);
    this.#cut.delete(stream);
  }
}
