import { decodeHuffman } from "./huffman.ts";
import { STATIC_TABLE } from "./static-table.ts";

export type Header = readonly [name: string, value: string];

/** What we grant the other side (SETTINGS_HEADER_TABLE_SIZE, its default). */
const MOST_TABLE_BYTES = 4_096;
/** RFC 7541 §4.1. */
const ENTRY_OVERHEAD = 32;

/** Decodes the header blocks of one connection (RFC 7541), in their order. */
export class HeaderDecoder {
  /** Newest first. */
  #table: Header[] = [];
  #tableBytes = 0;
  #tableLimit = MOST_TABLE_BYTES;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Throws an Error for a block that is none; then the connection is of no more use (RFC 9113 §4.3). */
  decode(block: Buffer): Header[] {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    while (this.#at < block.length) {
      const first = this.#peek();
      if (first >= 0x80) headers.push(this.#entry(this.#integer(7)));
      else if (first >= 0x40) headers.push(this.#remember(this.#literal(6)));
      else if (first >= 0x20) this.#resize(this.#integer(5));
      else headers.push(this.#literal(4));
    }
    return headers;
  }

  #literal(prefixBits: number): Header {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#text() : this.#entry(index)[0];
    return [name, this.#text()];
  }

  #entry(index: number): Header {
    const entry =
      index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[index - STATIC_TABLE.length - 1];
    if (entry === undefined) throw new Error(`a header block refers to entry ${index}, which does not exist`);
    return entry;
  }

  #remember(header: Header): Header {
    this.#tableBytes += sizeOf(header);
    this.#table.unshift(header);
    this.#evict();
    return header;
  }

  #resize(limit: number): void {
    if (limit > MOST_TABLE_BYTES) throw new Error("a header block asks for a larger table than granted");
    this.#tableLimit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableLimit) {
      const oldest = this.#table.pop();
      this.#tableBytes -= oldest === undefined ? this.#tableBytes : sizeOf(oldest);
    }
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const most = 2 ** prefixBits - 1;
    let value = this.#next() & most;
    if (value < most) return value;
    for (let factor = 1; factor <= 2 ** 21; factor *= 128) {
      const byte = this.#next();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new Error("a header block has an integer that is too long");
  }

  #text(): string {
    const huffman = this.#peek() >= 0x80;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new Error("a header block ends within a string");
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return huffman ? decodeHuffman(bytes) : bytes.toString("latin1");
  }

  #peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Error("a header block ends too early");
    return byte;
  }

  #next(): number {
    const byte = this.#peek();
    this.#at += 1;
    return byte;
  }
}

const sizeOf = ([name, value]: Header): number => name.length + value.length + ENTRY_OVERHEAD;
