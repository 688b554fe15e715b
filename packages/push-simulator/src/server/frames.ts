const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;

/** Types of RFC 9113 §6 that the simulator looks at or writes. */
export const FRAME = { data: 0, headers: 1, priority: 2, resetStream: 3, goaway: 7 } as const;
export const FLAG = { endStream: 1 } as const;

type OnFrame = (type: number, stream: number, flags: number) => void;

/** Follows the frames in a client's bytes, whichever way they are cut, without keeping their content. */
export class FrameFollower {
  readonly #onFrame: OnFrame;
  #toSkip = PREFACE_BYTES;
  #partial: Buffer = Buffer.alloc(0);

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  read(chunk: Buffer): void {
    const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let at = this.#toSkip;
    while (at + HEADER_BYTES <= bytes.length) {
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      this.#onFrame(bytes.readUInt8(at + 3), stream, bytes.readUInt8(at + 4));
      at += HEADER_BYTES + bytes.readUIntBE(at, 3);
    }
    this.#partial = at < bytes.length ? bytes.subarray(at) : Buffer.alloc(0);
    this.#toSkip = Math.max(0, at - bytes.length);
  }
}

/** A GOAWAY frame (RFC 9113 §6.8) as bytes. */
export function goawayFrame(lastStream: number, code: number, data: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + 8);
  frame.writeUIntBE(8 + data.length, 0, 3);
  frame.writeUInt8(FRAME.goaway, 3);
  frame.writeUInt32BE(lastStream, HEADER_BYTES);
  frame.writeUInt32BE(code, HEADER_BYTES + 4);
  return Buffer.concat([frame, data]);
}
