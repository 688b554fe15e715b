import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame as a client writes it. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  content: Uint8Array = Buffer.of(),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(content.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, content]);
}

/** `POST /` from HPACK's static table, and an authority; ends the request if `last`. */
export const aRequest = (stream: number, last = true): Buffer =>
  frame(1, last ? 5 : 4, stream, Buffer.from([0x83, 0x84, 0x87, 0x01, 0x01, 0x61]));

/** A client that does nothing by itself: never closes, never acknowledges. */
export interface RawClient extends AsyncDisposable {
  readonly socket: TLSSocket;
  /** Frames received so far: type, stream and content in hex. */
  readonly frames: () => readonly string[];
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>;
}

/** Resolves when TLS is there and the preface with empty SETTINGS sent. */
export async function connectRaw(
  port: number,
  ca: string,
  alpn: readonly string[] = ["h2"],
): Promise<RawClient> {
  const socket = connect({ host: "127.0.0.1", port, ca, servername: "localhost", ALPNProtocols: [...alpn] });
  const chunks: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => socket.once("end", () => resolve()));
  await once(socket, "secureConnect");
  socket.write(Buffer.concat([PREFACE, frame(4, 0, 0)]));
  return {
    socket,
    frames: () => framesIn(Buffer.concat(chunks)),
    ended,
    [Symbol.asyncDispose]: async () => {
      if (socket.destroyed) return;
      socket.destroy();
      await once(socket, "close");
    },
  };
}

function framesIn(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    found.push(
      `${bytes.readUInt8(at + 3)} ${bytes.readUInt32BE(at + 5)} ${bytes.subarray(at + 9, end).toString("hex")}`,
    );
    at = end;
  }
  return found;
}
