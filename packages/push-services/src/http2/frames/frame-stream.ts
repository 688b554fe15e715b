import { DEFAULT } from "./frame.ts";
import { type WireRequest, type WireResult } from "../wire.ts";

/** Bytes; Apple's longest answer has some 60. */
const LONGEST_BODY = 4_096;

/** One request under way and the answer as far as it came. */
export class FrameStream {
  readonly id: number;
  readonly request: WireRequest;
  /** How many bytes of the body are sent. */
  sent = 0;
  /** How many more bytes the other side takes on this stream; negative after it has changed its mind. */
  window: number;
  status: number | undefined;
  #retryAfter: string | undefined;
  #body = "";
  /** Bytes of DATA frames; we never grant more than the first window. */
  #received = 0;

  constructor(id: number, request: WireRequest, window: number) {
    this.id = id;
    this.request = request;
    this.window = window;
  }

  get isSent(): boolean {
    return this.sent === this.request.body.length;
  }

  /** Takes in a header block; informational ones (1xx) and trailers don't matter. */
  readHeaders(headers: readonly (readonly [name: string, value: string])[]): void {
    if (this.status !== undefined) return;
    for (const [name, value] of headers) {
      if (name === ":status" && Number(value) >= 200) this.status = Number(value);
      else if (name === "retry-after") this.#retryAfter = value;
    }
  }

  /** Throws an Error if there is more than the window allows; `frameBytes` is with padding (RFC 9113 §6.9.1). */
  readBody(bytes: Buffer, frameBytes: number): void {
    this.#received += frameBytes;
    if (this.#received > DEFAULT.window) throw new Error("a stream has more data than its window");
    if (this.#body.length < LONGEST_BODY) this.#body += bytes.toString("latin1");
  }

  /** The answer, or `otherwise` if not even a status has come. */
  result(otherwise: WireResult): WireResult {
    if (this.status === undefined) return otherwise;
    return { kind: "answered", status: this.status, body: this.#body, retryAfter: this.#retryAfter };
  }
}
