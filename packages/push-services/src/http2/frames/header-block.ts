import { contentOf, FLAG, type Frame } from "./frame.ts";

const MOST_BYTES = 65_536;
/** 65,536 bytes need four frames of the smallest allowed size; empty ones would never end (CVE-2024-27316 and others). */
const MOST_FRAMES = 16;

/** A header block that goes on in CONTINUATION frames (RFC 9113 §6.10). */
export class HeaderBlock {
  readonly first: Frame;
  readonly #parts: Buffer[];
  #bytes: number;

  constructor(first: Frame) {
    this.first = first;
    // What is read next may overwrite the frame.
    this.#parts = [Buffer.from(contentOf(first))];
    this.#bytes = first.payload.length;
  }

  /** The whole block with its last frame, `undefined` before. Throws an Error for too many frames or bytes. */
  add({ stream, flags, payload }: Frame): Buffer | undefined {
    if (stream !== this.first.stream) throw new Error("a header block goes on elsewhere");
    this.#parts.push(Buffer.from(payload));
    this.#bytes += payload.length;
    if (this.#bytes > MOST_BYTES) throw new Error("a header block is too long");
    if (this.#parts.length > MOST_FRAMES) throw new Error("a header block has too many frames");
    return (flags & FLAG.endHeaders) === 0 ? undefined : Buffer.concat(this.#parts);
  }
}
