import { type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";

/** An answer before it is written. */
export interface Answer {
  readonly status: number;
  readonly reason?: string;
  readonly timestamp?: number;
  /** Instead of the JSON with reason and timestamp. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Writes an answer as Apple does: no body with 200, JSON with everything else. */
export function writeAnswer(stream: ServerHttp2Stream, answer: Answer): void {
  const body = answer.body ?? jsonBody(answer);
  const headers: OutgoingHttpHeaders = { ":status": answer.status, ...answer.headers };
  if (body === undefined) {
    stream.respond(headers, { endStream: true });
    return;
  }
  stream.respond({ "content-type": "application/json", ...headers });
  stream.end(body);
}

function jsonBody({ reason, timestamp }: Answer): string | undefined {
  return reason === undefined ? undefined : JSON.stringify({ reason, timestamp });
}
