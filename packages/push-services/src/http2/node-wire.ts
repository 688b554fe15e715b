import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  sensitiveHeaders,
  type Settings,
} from "node:http2";
import { type TLSSocket } from "node:tls";

import { networkTrouble } from "@reveille/wakeup";

import { dial } from "./dial.ts";
import { authorityOf, type Endpoint, type Resolve } from "./endpoint.ts";
import { NodeStream } from "./node-stream.ts";
import { type OpenWire, type Wire, type WireEvents, type WireRequest, type WireStream } from "./wire.ts";

/** Megabytes; Node's 10 are used up by some hundred requests under way. */
const MAX_SESSION_MEMORY = 64;

const UNSENT: WireStream = { cancel: () => undefined };

/** Connections by `node:http2`. */
export function nodeWires(endpoint: Endpoint, resolve: Resolve): OpenWire {
  return (events) => new NodeWire(endpoint, resolve, events);
}

class NodeWire implements Wire {
  readonly #origin: string;
  readonly #events: WireEvents;
  readonly #dialing = new AbortController();
  #session: ClientHttp2Session | undefined;
  /** Why the connection ends; the first reason is the true one. */
  #because: string | undefined;
  /** The highest of our streams that may have been processed, once a GOAWAY has said so. */
  #lastStream = Number.POSITIVE_INFINITY;

  constructor(endpoint: Endpoint, resolve: Resolve, events: WireEvents) {
    this.#origin = `https://${authorityOf(endpoint)}`;
    this.#events = events;
    dial(endpoint, resolve, this.#dialing.signal).then(
      (socket) => this.#start(socket),
      (error: unknown) =>
        events.closed(this.#because ?? (error instanceof Error ? error.message : String(error))),
    );
  }

  readonly request = (request: WireRequest): WireStream => {
    const stream = this.#open(request);
    if (stream === undefined) {
      queueMicrotask(() =>
        request.settle({ kind: "unprocessed", because: this.#because ?? "not connected" }),
      );
      return UNSENT;
    }
    return new NodeStream(stream, request, {
      mayBeProcessed: (id) => id <= this.#lastStream,
      because: () => this.#because,
    });
  };

  #open({ path, headers, ownHeaders }: WireRequest): ClientHttp2Stream | undefined {
    const all = [":method", "POST", ":path", path, ...headers, ...ownHeaders];
    const sensitive = { [sensitiveHeaders]: ownHeaders.filter((_, place) => place % 2 === 0) };
    try {
      return this.#session?.request(Object.assign(all, sensitive), { endStream: false });
    } catch {
      // Node throws for a session that has just ended. Nothing was sent, which is all there is to say.
      return undefined;
    }
  }

  readonly ping = (heard: (answered: boolean) => void): void => {
    try {
      this.#session?.ping((error) => heard(error === null));
    } catch {
      // A session that has just ended throws here, and tells so by `closed`.
    }
  };

  readonly close = (): void => {
    if (this.#session === undefined) this.destroy("closed");
    this.#session?.close();
  };

  readonly destroy = (because: string): void => {
    this.#because ??= because;
    this.#dialing.abort();
    this.#session?.destroy();
  };

  #start(socket: TLSSocket): void {
    const session = connect(this.#origin, {
      createConnection: () => socket,
      maxSessionMemory: MAX_SESSION_MEMORY,
      settings: { enablePush: false },
    });
    session.on("remoteSettings", ({ maxConcurrentStreams }: Settings) => {
      this.#events.settings(maxConcurrentStreams ?? Number.POSITIVE_INFINITY);
    });
    session.on("goaway", (_code: number, lastStream: number, data?: Uint8Array) => {
      this.#lastStream = Math.min(this.#lastStream, lastStream);
      this.#events.goaway(data === undefined ? "" : Buffer.from(data).toString());
    });
    session.on("error", (error: Error) => {
      this.#because ??= networkTrouble(error);
    });
    session.on("close", () =>
      this.#events.closed(this.#because ?? "the other side has closed the connection"),
    );
    this.#session = session;
    if (this.#dialing.signal.aborted) this.destroy("given up");
  }
}
