import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { OrderError, type Routes } from "./routes.ts";

/** Plain HTTP with JSON, for whoever runs the simulator; never for the network. */
export interface Control extends AsyncDisposable {
  readonly port: number;
}

const LARGEST_BODY = 10_000_000;

/** Resolves when the control port answers; rejects if it cannot listen. */
export async function startControl(routes: Routes, port = 0, host = "127.0.0.1"): Promise<Control> {
  const server = createServer((request, response) => void answer(routes, request, response));
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "string" || address === null) throw new Error("control has no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await resultOf(routes, request);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function resultOf(
  routes: Routes,
  request: IncomingMessage,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = new URL(request.url ?? "/", "http://control");
  const route = routes.get(`${request.method ?? "GET"} ${url.pathname}`);
  if (route === undefined) return { status: 404, body: { error: "no such path", paths: [...routes.keys()] } };
  try {
    return { status: 200, body: (await route(await jsonFrom(request), url.searchParams)) ?? {} };
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    return { status: error instanceof OrderError ? 400 : 500, body: { error: because } };
  }
}

async function jsonFrom(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.length;
    if (length > LARGEST_BODY) throw new OrderError("body too large");
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new OrderError("body is no JSON");
  }
}
