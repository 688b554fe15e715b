import { type IncomingHttpHeaders } from "node:http2";

/** A request as it came, whole, before anybody has judged it. */
export interface PushRequest {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as sent; `headers` has joined the repeated ones. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** The value of a header, or `undefined`. */
export function headerOf(request: PushRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.join(", ");
}
