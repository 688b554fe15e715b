import { type TLSSocket } from "node:tls";

import { networkTrouble } from "@reveille/wakeup";

import { dial } from "../dial.ts";
import { authorityOf, type Endpoint, type Resolve } from "../endpoint.ts";
import { type OpenWire, type Wire, type WireEvents, type WireRequest, type WireStream } from "../wire.ts";
import { FrameSession } from "./frame-session.ts";

/**
 * What may wait for a peer that does not read: 500 of the largest pushes fit, and no number of PINGs, SETTINGS and
 * WINDOW_UPDATEs that it has us answer makes it more.
 */
const MOST_UNSENT = 4 * 2 ** 20;

const UNSENT: WireStream = { cancel: () => undefined };

/** Connections that speak as much HTTP/2 as pushes need, and no more. */
export function frameWires(endpoint: Endpoint, resolve: Resolve): OpenWire {
  return (events) => new FrameWire(endpoint, resolve, events);
}

class FrameWire implements Wire {
  readonly #events: WireEvents;
  readonly #session: FrameSession;
  readonly #dialing = new AbortController();
  #socket: TLSSocket | undefined;
  /** Why the connection ends; the first reason is the true one. */
  #because: string | undefined;
  #isClosing = false;
  #willFlush = false;

  constructor(endpoint: Endpoint, resolve: Resolve, events: WireEvents) {
    this.#events = events;
    this.#session = new FrameSession({
      authority: authorityOf(endpoint),
      events,
      written: () => this.#flushSoon(),
    });
    dial(endpoint, resolve, this.#dialing.signal).then(
      (socket) => this.#start(socket),
      (error: unknown) => this.#end(error instanceof Error ? error.message : String(error)),
    );
  }

  readonly request = (request: WireRequest): WireStream => {
    const stream = this.#socket === undefined || this.#isClosing ? undefined : this.#session.open(request);
    if (stream === undefined) {
      queueMicrotask(() =>
        request.settle({ kind: "unprocessed", because: this.#because ?? "not connected" }),
      );
      return UNSENT;
    }
    return {
      cancel: (because) => {
        queueMicrotask(() => this.#session.cancel(stream, because));
      },
    };
  };

  readonly ping = (heard: (answered: boolean) => void): void => {
    this.#session.ping(heard);
  };

  readonly close = (): void => {
    if (this.#socket === undefined) return this.destroy("closed");
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#session.goaway();
  };

  readonly destroy = (because: string): void => {
    this.#because ??= because;
    this.#dialing.abort();
    this.#socket?.destroy();
  };

  #start(socket: TLSSocket): void {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#flushSoon());
    socket.on("error", (error: Error) => {
      this.#because ??= networkTrouble(error);
    });
    socket.on("close", () => this.#end("the other side has closed the connection"));
    if (this.#dialing.signal.aborted) socket.destroy();
    this.#flushSoon();
  }

  #receive(chunk: Buffer): void {
    if (this.#because !== undefined) return;
    try {
      this.#session.receive(chunk);
    } catch (error) {
      // Whatever it was, nobody knows any more what the next bytes mean (RFC 9113 §5.4.1).
      this.destroy(`no HTTP/2: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Once per turn of the event loop: frames that are sent together cost one TLS record. */
  #flushSoon(): void {
    if (this.#willFlush || this.#socket === undefined) return;
    this.#willFlush = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#willFlush = false;
    if (this.#because !== undefined) return;
    if (this.#session.output.length > MOST_UNSENT)
      return this.destroy("the other side does not read what is sent");
    // Until it has drained, everything stays together in one buffer, and counts as not sent.
    if (this.#socket?.writableNeedDrain === true) return;
    if (!this.#session.output.isEmpty) {
      const { bytes, giveBack } = this.#session.takeOutput();
      this.#socket?.write(bytes, giveBack);
    }
    if (this.#isClosing) this.#socket?.end();
  }

  #end(because: string): void {
    this.#because ??= because;
    this.#socket = undefined;
    this.#session.end(this.#because);
    this.#events.closed(this.#because);
  }
}
