import { FRAME } from "./frames.ts";

/**
 * Counts a client's open streams from its own frames, since `node:http2` refuses surplus ones without
 * telling anybody.
 */
export class StreamCount {
  readonly #limit: () => number;
  readonly #onExcess: () => void;
  readonly #open = new Set<number>();
  #highest = 0;

  constructor(limit: () => number, onExcess: () => void) {
    this.#limit = limit;
    this.#onExcess = onExcess;
  }

  onFrame(type: number, stream: number): void {
    if (type === FRAME.resetStream) this.#open.delete(stream);
    // A second HEADERS frame on a stream would be a trailer.
    if (type !== FRAME.headers || stream <= this.#highest) return;
    this.#highest = stream;
    if (this.#open.size >= this.#limit()) this.#onExcess();
    else this.#open.add(stream);
  }

  closed(stream: number): void {
    this.#open.delete(stream);
  }
}
