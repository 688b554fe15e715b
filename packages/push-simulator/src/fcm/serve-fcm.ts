import { once } from "node:events";
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from "node:http2";

export interface FcmRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface FcmAnswer {
  readonly status: number;
  /** JSON, unless it is a text. */
  readonly body: object | string;
  /** Seconds or a date. */
  readonly retryAfter?: number | string;
}

export interface FcmServerOptions {
  readonly key: string;
  readonly cert: string;
  readonly host: string;
  readonly port: number;
  readonly streamLimit: number;
  readonly answer: (request: FcmRequest) => Promise<FcmAnswer>;
}

export interface FcmServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly connections: () => number;
  readonly goaway: (detail: string) => void;
}

/** HTTP/2, and HTTP/1.1 for the authorization server's clients that know nothing newer. */
export async function listenForFcm(options: FcmServerOptions): Promise<FcmServer> {
  const { key, cert, host, streamLimit } = options;
  const server = createSecureServer({
    key,
    cert,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: streamLimit },
  });
  /** With the number of its last stream: what comes after a GOAWAY is not processed. */
  const sessions = new Map<Http2Session, number>();
  server.on("session", (session) => {
    sessions.set(session, 0);
    session.once("close", () => sessions.delete(session)).on("error", () => undefined);
  });
  server.on("stream", ({ session, id }) => {
    if (session !== undefined && id !== undefined) sessions.set(session, id);
  });
  server.on("request", (request, response) => void respond(request, response, options.answer));
  server.listen(options.port, host);
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "string" || address === null) throw new Error("FCM simulator has no port");
  return {
    port: address.port,
    url: `https://localhost:${address.port}`,
    connections: () => sessions.size,
    goaway: (detail) => {
      for (const [session, last] of sessions) session.goaway(0, last, Buffer.from(detail));
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const session of sessions.keys()) session.destroy();
      await once(server, "close");
    },
  };
}

async function respond(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  answer: FcmServerOptions["answer"],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
  const { authorization } = request.headers;
  const { status, body, retryAfter } = await answer({
    path: request.url,
    authorization,
    body: Buffer.concat(chunks).toString(),
  });
  // HTTP/1.1 has no stream.
  if ("stream" in response && response.stream.destroyed) return;
  response.writeHead(status, {
    "content-type": "application/json; charset=UTF-8",
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
