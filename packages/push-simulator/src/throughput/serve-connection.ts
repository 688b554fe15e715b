import { type TLSSocket } from "node:tls";

import { answers, FLAG, frame, HEADER_BYTES, settings, TYPE, windowUpdate } from "./frames.ts";

const PREFACE_BYTES = 24;
/** Flow control: as much as 4,000 of the largest pushes, topped up at half. */
const ROOM = 2 ** 24;

/** Bytes of answers that a client leaves unread before its connection ends. */
const MOST_UNREAD = 2 ** 20;

/** What a connection is served with. */
export interface Serving {
  readonly streamLimit: number;
  /** Called with the number of requests that arrived together; resolves when their answers are due. */
  readonly due: (requests: number) => Promise<void> | undefined;
}

/**
 * Answers every request of a connection with 200, reading frame headers only: no HPACK, no streams, no
 * objects per request. Good for clients that keep to the protocol, which a load test's do.
 */
export function serveConnection(socket: TLSSocket, { streamLimit, due }: Serving): void {
  let rest: Buffer = Buffer.alloc(0);
  let toSkip = PREFACE_BYTES;
  let room = ROOM;
  socket.setNoDelay(true);
  socket.write(Buffer.concat([settings(streamLimit), windowUpdate(ROOM)]));

  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const ended: number[] = [];
    let at = toSkip;
    // A frame is read as soon as its first 17 bytes are there: no frame that needs an answer is longer.
    while (at + HEADER_BYTES <= bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      const next = at + HEADER_BYTES + length;
      if (length <= 8 && next > bytes.length) break;
      onFrame(bytes, at, ended);
      at = next;
    }
    rest = at < bytes.length ? bytes.subarray(at) : Buffer.alloc(0);
    toSkip = Math.max(0, at - bytes.length);
    if (ended.length > 0) answer(ended);
    if (socket.writableLength > MOST_UNREAD) socket.destroy();
  });

  function onFrame(bytes: Buffer, at: number, ended: number[]): void {
    const type = bytes.readUInt8(at + 3);
    const flags = bytes.readUInt8(at + 4);
    const stream = bytes.readUInt32BE(at + 5);
    const mayEnd = type === TYPE.data || type === TYPE.headers;
    if (mayEnd && (flags & FLAG.endStream) !== 0) ended.push(stream);
    if (type === TYPE.data) refill(bytes.readUIntBE(at, 3));
    if ((flags & FLAG.ack) !== 0) return;
    if (type === TYPE.settings) socket.write(frame(TYPE.settings, FLAG.ack, 0, Buffer.alloc(0)));
    if (type === TYPE.ping) {
      const opaque = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + 8);
      socket.write(frame(TYPE.ping, FLAG.ack, 0, opaque));
    }
  }

  function refill(bytes: number): void {
    room -= bytes;
    if (room > ROOM / 2) return;
    socket.write(windowUpdate(ROOM - room));
    room = ROOM;
  }

  function answer(streams: readonly number[]): void {
    const waiting = due(streams.length);
    if (waiting === undefined) socket.write(answers(streams));
    else void waiting.then(() => socket.destroyed || socket.write(answers(streams)));
  }
}
