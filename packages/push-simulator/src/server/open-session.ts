import { performServerHandshake, type ServerHttp2Stream } from "node:http2";
import { type Socket } from "node:net";
import { type TLSSocket } from "node:tls";

import { type PushRequest } from "../push-request.ts";
import { type Behaviour } from "../settings.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { type Arrival, Connection } from "./connection.ts";
import { FRAME, FrameFollower } from "./frames.ts";
import { StreamCount } from "./stream-count.ts";
import { Tap } from "./tap.ts";

/** SETTINGS of api.push.apple.com as seen in Pushy's and aapns' logs; the stream limit aside. */
const SETTINGS = {
  headerTableSize: 4_096,
  initialWindowSize: 65_535,
  maxFrameSize: 16_384,
  maxHeaderListSize: 8_000,
} as const;

/** The library's own limits stay out of the way; `maxOutstandingSettings` is missing in its types. */
const GENEROUS = {
  maxOutstandingSettings: 1_000,
  maxSessionRejectedStreams: 1_000_000,
  maxSessionMemory: 256,
};

/** The largest request body that is kept; the rest counts as too large anyway. */
const BODY_KEPT = 65_536;

/** What a session tells. */
export interface SessionEvents {
  readonly behaviour: () => Behaviour;
  readonly onRequest: (connection: Connection, stream: ServerHttp2Stream, request: PushRequest) => void;
  readonly onExcessStream: () => void;
  readonly onClose: (connection: Connection) => void;
}

/** Starts HTTP/2 on a TLS connection: SETTINGS leave at once. */
export function openSession(
  socket: TLSSocket,
  raw: Socket,
  arrival: Arrival,
  events: SessionEvents,
): Connection {
  const { firstStreamLimit, streamLimit, answerGoaway } = events.behaviour();
  const limit = arrival.identity.certificate === undefined ? firstStreamLimit : streamLimit;
  const count = new StreamCount(() => connection.streamLimit, tooMany);
  const closed = new ClosedStreams(() => connection.misuseStream());
  const frames = new FrameFollower((type, stream, flags) => {
    count.onFrame(type, stream);
    closed.onFrame(type, stream, flags);
    // RFC 9113 §6.3; nghttp2 ignores it.
    if (type === FRAME.priority && stream === 0) connection.expel("PRIORITY on stream 0");
  });
  const tap = new Tap(socket, raw, (chunk) => frames.read(chunk));
  const session = performServerHandshake(tap, {
    ...GENEROUS,
    settings: { ...SETTINGS, maxConcurrentStreams: limit },
  });
  const connection = new Connection(arrival, session, tap, limit);
  if (!answerGoaway) connection.silenceGoaway();

  function tooMany(): void {
    connection.excessStreams += 1;
    events.onExcessStream();
    if (events.behaviour().onTooManyStreams === "goaway") connection.expel("Maximum active streams violated");
  }

  session.on("stream", (stream, headers, _flags, rawHeaders: string[]) => {
    const id = stream.id ?? 0;
    stream.on("error", () => {});
    stream.once("close", () => {
      count.closed(id);
      closed.closed(id);
    });
    connection.opened(id, stream);
    collect(stream, (body) => events.onRequest(connection, stream, { headers, rawHeaders, body }));
  });
  session.on("error", () => {});
  // After the listener of the connection, which notes the state.
  session.once("close", () => events.onClose(connection));
  return connection;
}

function collect(stream: ServerHttp2Stream, whole: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    if (length < BODY_KEPT) chunks.push(chunk);
    length += chunk.length;
  });
  stream.once("end", () => {
    // A stream that was reset also "ends"; its request was never whole.
    if (!stream.aborted && !stream.destroyed) whole(Buffer.concat(chunks));
  });
}
