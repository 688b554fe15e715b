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

  readBody(bytes: Buffer): void {
    if (this.#body.length < LONGEST_BODY) this.#body += bytes.toString("latin1");
  }

  /** The answer, or `otherwise` if not even a status has come. */
  result(otherwise: WireResult): WireResult {
    if (this.status === undefined) return otherwise;
    return { kind: "answered", status: this.status, body: this.#body, retryAfter: this.#retryAfter };
  }
}
