import { type CodeUnits } from "./characters.ts";

/** Most reads of a socket fit in. */
const USUAL_LENGTH = 65_536;

/** Text as code units, in a buffer that is used again and again. */
export class Utf16 {
  #bytes = Buffer.alloc(2 * USUAL_LENGTH);
  #codes: CodeUnits = new Uint16Array(this.#bytes.buffer);
  #used = 0;

  /** The units of `text`, and behind them others that mean nothing; valid until the next call. */
  of(text: string): CodeUnits {
    const size = 2 * text.length;
    if (size > this.#bytes.length) {
      this.#bytes = Buffer.alloc(2 * size);
      this.#codes = new Uint16Array(this.#bytes.buffer);
    }
    this.#used = this.#bytes.write(text, "utf16le");
    return this.#codes;
  }

  /** Wipes the text out. */
  forget(): void {
    this.#bytes.fill(0, 0, this.#used);
    this.#used = 0;
  }
}
