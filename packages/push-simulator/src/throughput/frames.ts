/** The frames of RFC 9113 that a server needs which answers every request alike. */
export const TYPE = { data: 0, headers: 1, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;
export const HEADER_BYTES = 9;

const MAX_CONCURRENT_STREAMS = 3;

export function frame(type: number, flags: number, stream: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(content.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, content]);
}

export function settings(streamLimit: number): Buffer {
  const content = Buffer.alloc(6);
  content.writeUInt16BE(MAX_CONCURRENT_STREAMS, 0);
  content.writeUInt32BE(streamLimit, 2);
  return frame(TYPE.settings, 0, 0, content);
}

/** More room for the client's bodies on the whole connection. */
export function windowUpdate(bytes: number): Buffer {
  const content = Buffer.alloc(4);
  content.writeUInt32BE(bytes, 0);
  return frame(TYPE.windowUpdate, 0, 0, content);
}

/** `:status: 200` (index 8 of HPACK's static table) and an apns-id, as Apple sends one; never indexed. */
const ANSWER = frame(
  TYPE.headers,
  FLAG.endHeaders | FLAG.endStream,
  0,
  Buffer.concat([
    Buffer.of(0x88, 0x00, 7),
    Buffer.from("apns-id"),
    Buffer.of(36),
    Buffer.from("00000000-0000-4000-8000-000000000000"),
  ]),
);

/** The answers 200 to these streams, back to back. */
export function answers(streams: readonly number[]): Buffer {
  const all = Buffer.allocUnsafe(ANSWER.length * streams.length);
  let at = 0;
  for (const stream of streams) {
    ANSWER.copy(all, at);
    all.writeUInt32BE(stream, at + 5);
    at += ANSWER.length;
  }
  return all;
}
