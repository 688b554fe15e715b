import { STATIC_TABLE } from "./static-table.ts";

const HEADER_BYTES = 9;
/** Some 30 pushes, which is what one turn of the event loop brings at 10,000 a second. */
const FIRST_SIZE = 16_384;

/** How a header is written (RFC 7541 §6.2): none of ours ever enters the table of the other side. */
const WITHOUT_INDEXING = 0x00;
const NEVER_INDEXED = 0x10;

/**
 * Collects frames to be written at once. Headers are written as literals: without a table there is nothing to
 * keep in step, and Apple wants few of them indexed anyway ("Sending notification requests to APNs").
 */
export class Output {
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_SIZE);
  /** The buffer before, which is used again: memory outside the heap piles up until the next big collection. */
  #spare: Buffer | undefined;
  #length = 0;
  #frameAt = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Bytes to be written. */
  get length(): number {
    return this.#length;
  }

  /** Everything since the last time; `giveBack` when its bytes are no longer needed. */
  take(): { readonly bytes: Buffer; readonly giveBack: () => void } {
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#length);
    this.#buffer = this.#spare ?? Buffer.allocUnsafe(FIRST_SIZE);
    this.#spare = undefined;
    this.#length = 0;
    const giveBack = (): void => {
      this.#spare = buffer;
    };
    return { bytes, giveBack };
  }

  /** Begins a frame; what is written until `end` is its payload. */
  begin(type: number, flags: number, stream: number): this {
    this.#frameAt = this.#length;
    return this.uint(0, 3).uint(type, 1).uint(flags, 1).uint(stream, 4);
  }

  end(): void {
    this.#buffer.writeUIntBE(this.#length - this.#frameAt - HEADER_BYTES, this.#frameAt, 3);
  }

  uint(value: number, bytes: number): this {
    this.#reserve(bytes);
    this.#length = this.#buffer.writeUIntBE(value, this.#length, bytes);
    return this;
  }

  bytes(bytes: Buffer): this {
    this.#reserve(bytes.length);
    this.#length += bytes.copy(this.#buffer, this.#length);
    return this;
  }

  /** Headers that are the same for many requests. */
  headers(headers: readonly string[]): this {
    return this.#literals(headers, WITHOUT_INDEXING);
  }

  /** Headers that nobody on the way may index: secret, or different each time. */
  secretHeaders(headers: readonly string[]): this {
    return this.#literals(headers, NEVER_INDEXED);
  }

  #literals(headers: readonly string[], form: number): this {
    for (let place = 0; place < headers.length; place += 2) {
      const name = headers[place] ?? "";
      const index = STATIC_NAMES.get(name) ?? 0;
      this.#integer(form, 4, index);
      if (index === 0) this.#text(name);
      this.#text(headers[place + 1] ?? "");
    }
    return this;
  }

  /** RFC 7541 §5.1. */
  #integer(form: number, prefixBits: number, value: number): void {
    const most = 2 ** prefixBits - 1;
    if (value < most) return void this.uint(form | value, 1);
    this.uint(form | most, 1);
    let rest = value - most;
    for (; rest >= 0x80; rest >>>= 7) this.uint((rest & 0x7f) | 0x80, 1);
    this.uint(rest, 1);
  }

  #text(text: string): void {
    this.#integer(0, 7, text.length);
    this.#reserve(text.length);
    this.#length += this.#buffer.write(text, this.#length, "latin1");
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** First place of each name in the static table. */
const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name], place) => [name, place + 1] as const).toReversed(),
);
