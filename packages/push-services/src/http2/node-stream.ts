import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";

import { networkTrouble } from "@reveille/wakeup";

import { type WireRequest, type WireResult, type WireStream } from "./wire.ts";

/** What a stream asks its connection when it has ended without an answer. */
interface Connection {
  readonly mayBeProcessed: (streamId: number) => boolean;
  readonly because: () => string | undefined;
}

/** Bytes; Apple's longest answer has some 60. */
const LONGEST_BODY = 4_096;

/** One request on `node:http2`, from sending it to its fate. */
export class NodeStream implements WireStream {
  readonly #stream: ClientHttp2Stream;
  readonly #connection: Connection;
  #status: number | undefined;
  #retryAfter: string | undefined;
  #body = "";
  #because: string | undefined;

  constructor(stream: ClientHttp2Stream, request: WireRequest, connection: Connection) {
    this.#stream = stream;
    this.#connection = connection;
    stream.on("response", (headers) => this.#head(headers));
    stream.on("data", (chunk: Buffer) => {
      if (this.#body.length < LONGEST_BODY) this.#body += chunk.toString("latin1");
    });
    // The fate is decided at `close`, which follows: only there is everything known.
    stream.on("error", (error: Error) => {
      this.#because ??= networkTrouble(error);
    });
    stream.on("close", () => request.settle(this.#result()));
    stream.end(request.body);
  }

  readonly cancel = (because: string): void => {
    this.#because ??= because;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // `close` alone may wait for a body that a dead connection never takes.
    this.#stream.destroy();
  };

  #head(headers: IncomingHttpHeaders): void {
    this.#status = Number(headers[":status"]);
    this.#retryAfter = headers["retry-after"];
  }

  #result(): WireResult {
    if (this.#status !== undefined) {
      return { kind: "answered", status: this.#status, body: this.#body, retryAfter: this.#retryAfter };
    }
    const { id, rstCode } = this.#stream;
    if (id === undefined) return { kind: "unprocessed", because: "never sent" };
    if (rstCode === constants.NGHTTP2_REFUSED_STREAM) return { kind: "unprocessed", because: "refused" };
    if (!this.#connection.mayBeProcessed(id)) return { kind: "unprocessed", because: "beyond GOAWAY" };
    const because = this.#connection.because() ?? this.#because ?? `reset with code ${rstCode}`;
    return { kind: "unanswered", because };
  }
}
