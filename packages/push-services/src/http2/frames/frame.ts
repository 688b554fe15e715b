/** Types of frames (RFC 9113 §6) and what is set in their flags. */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  resetStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const ERROR = { none: 0x0, refusedStream: 0x7, cancel: 0x8 } as const;

export const SETTING = { enablePush: 0x2, streamLimit: 0x3, initialWindow: 0x4, frameSize: 0x5 } as const;

/** What both sides start from (RFC 9113 §6.5.2). */
export const DEFAULT = { window: 65_535, frameSize: 16_384 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Part of a chunk that was read: valid until the next one. */
  readonly payload: Buffer;
}

const HEADER_BYTES = 9;

/** Cuts what a connection reads into frames. */
export class FrameReader {
  readonly #handle: (frame: Frame) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(handle: (frame: Frame) => void) {
    this.#handle = handle;
  }

  /** Throws an Error for a frame that is larger than we allow, and whatever the handler throws. */
  read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      if (length > DEFAULT.frameSize) throw new Error(`a frame of ${length} bytes is too large`);
      const begin = at + HEADER_BYTES;
      if (bytes.length < begin + length) break;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
      const payload = bytes.subarray(begin, begin + length);
      this.#handle({ type: bytes.readUInt8(at + 3), flags: bytes.readUInt8(at + 4), stream, payload });
      at = begin + length;
    }
    this.#rest = bytes.subarray(at);
  }
}

/** The payload of a DATA or HEADERS frame without padding and priority. Throws an Error if they don't fit in. */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const hasPriority = type === FRAME.headers && (flags & FLAG.priority) !== 0;
  const padding = (flags & FLAG.padded) === 0 ? undefined : payload.readUInt8(0);
  const begin = (padding === undefined ? 0 : 1) + (hasPriority ? 5 : 0);
  const end = payload.length - (padding ?? 0);
  if (begin > end) throw new Error("a frame has more padding than bytes");
  return payload.subarray(begin, end);
}
