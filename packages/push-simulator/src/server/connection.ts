import { type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

import { errorNumber } from "../error-code.ts";
import { type Goaway } from "../faults/goaway.ts";
import { type ConnectionIdentity } from "../validation/authentication.ts";
import { type SignatureEncoding } from "../validation/provider-token.ts";
import { goawayFrame } from "./frames.ts";
import { type Tap } from "./tap.ts";

/** A client's connection, for tests to look at. */
export interface ConnectionView {
  readonly id: number;
  /** Milliseconds since 1970, by the simulator's clock. */
  readonly openedAt: number;
  readonly remotePort: number;
  /** The server name the client asked for (SNI). */
  readonly servername: string | undefined;
  readonly state: "open" | "draining" | "frozen" | "closed";
  /** MAX_CONCURRENT_STREAMS as announced last. */
  readonly streamLimit: number;
  /** Requests received whole. */
  readonly pushes: number;
  readonly inFlight: number;
  /** PING frames of the client (not those while frozen). */
  readonly pings: number;
  /** Streams the client opened beyond the limit. */
  readonly excessStreams: number;
  /** Frames on streams that the client had ended itself; the connection ends at the first. */
  readonly misusedStreams: number;
  /** TLS agreed on `h2`; false for a client that offers no protocol. */
  readonly alpn: boolean;
  /** How the signature of the newest provider token is written (RFC 7518 §3.4 allows `ieee-p1363` only). */
  readonly signature: SignatureEncoding | undefined;
  readonly teamId: string | undefined;
  readonly keyId: string | undefined;
}

const HIGHEST_STREAM = 2 ** 31 - 1;

/** What is known when the TLS handshake is done. */
export interface Arrival {
  readonly id: number;
  readonly openedAt: number;
  readonly remotePort: number;
  readonly servername: string | undefined;
  readonly alpn: boolean;
  readonly identity: ConnectionIdentity;
}

/** One HTTP/2 connection and the faults it can be given. */
export class Connection implements ConnectionView {
  readonly id: number;
  readonly openedAt: number;
  readonly remotePort: number;
  readonly servername: string | undefined;
  readonly alpn: boolean;
  readonly identity: ConnectionIdentity;
  pushes = 0;
  pings = 0;
  excessStreams = 0;
  misusedStreams = 0;
  badTokens = 0;
  streamLimit: number;
  /** It showed a certificate, or a push of it was authenticated: its stream limit is the real one. */
  welcome: boolean;
  /** Nothing is answered any more. */
  wedged = false;
  state: ConnectionView["state"] = "open";
  readonly #session: ServerHttp2Session;
  readonly #sendGoaway: ServerHttp2Session["goaway"];
  readonly #tap: Tap;
  readonly #streams = new Map<number, ServerHttp2Stream>();
  #newest = 0;
  #lastAnswered = HIGHEST_STREAM;
  #closeWhenIdle = false;
  #thawed: PromiseWithResolvers<void> | undefined;

  constructor(arrival: Arrival, session: ServerHttp2Session, tap: Tap, streamLimit: number) {
    this.id = arrival.id;
    this.openedAt = arrival.openedAt;
    this.remotePort = arrival.remotePort;
    this.servername = arrival.servername;
    this.alpn = arrival.alpn;
    this.identity = arrival.identity;
    this.streamLimit = streamLimit;
    this.welcome = arrival.identity.certificate !== undefined;
    this.#session = session;
    this.#sendGoaway = session.goaway.bind(session);
    this.#tap = tap;
    session.on("ping", () => (this.pings += 1));
    session.on("close", () => (this.state = "closed"));
  }

  get teamId(): string | undefined {
    return this.identity.teamId;
  }

  get keyId(): string | undefined {
    return this.identity.keyId;
  }

  get signature(): SignatureEncoding | undefined {
    return this.identity.signature;
  }

  get inFlight(): number {
    return this.#streams.size;
  }

  /** What JSON shows: no bearer, no innards. */
  toJSON(): ConnectionView {
    return {
      id: this.id,
      openedAt: this.openedAt,
      remotePort: this.remotePort,
      servername: this.servername,
      state: this.state,
      streamLimit: this.streamLimit,
      pushes: this.pushes,
      inFlight: this.inFlight,
      pings: this.pings,
      excessStreams: this.excessStreams,
      misusedStreams: this.misusedStreams,
      alpn: this.alpn,
      signature: this.signature,
      teamId: this.teamId,
      keyId: this.keyId,
    };
  }

  /** Keeps `node:http2` from answering a client's GOAWAY with one of its own while pushes are in flight. */
  silenceGoaway(): void {
    this.#session.goaway = () => {};
  }

  opened(id: number, stream: ServerHttp2Stream): void {
    this.#newest = Math.max(this.#newest, id);
    this.#streams.set(id, stream);
    stream.once("close", () => {
      this.#streams.delete(id);
      if (this.#closeWhenIdle && this.#streams.size === 0) this.finish();
    });
  }

  /** False from the moment a GOAWAY cuts the stream off: the frame itself leaves a little later. */
  mayAnswer(stream: number): boolean {
    return !this.wedged && stream <= this.#lastAnswered;
  }

  /** Announces another MAX_CONCURRENT_STREAMS. */
  limitStreams(limit: number): void {
    if (limit === this.streamLimit || this.#session.destroyed) return;
    this.streamLimit = limit;
    this.#session.settings({ maxConcurrentStreams: limit });
  }

  goaway(goaway: Omit<Goaway, "connection"> = {}): void {
    if (this.#session.destroyed) return;
    const code = errorNumber(goaway.code ?? "NO_ERROR");
    const data =
      goaway.reason === undefined ? undefined : Buffer.from(JSON.stringify({ reason: goaway.reason }));
    const last = this.#lastStreamFor(goaway);
    this.#lastAnswered = Math.min(this.#lastAnswered, last);
    if (goaway.double === true) this.#sendGoaway(code, HIGHEST_STREAM, data);
    if (last > 0) this.#sendGoaway(code, last, data);
    else this.#sendGoawayForAll(code, data);
    if (this.state === "open") this.state = "draining";
    if (goaway.close === "never") return;
    this.#closeWhenIdle = true;
    if (this.#streams.size === 0 || last === 0) this.finish();
  }

  /** GOAWAY and the end, without an answer to anything. */
  expel(reason: string): void {
    this.goaway({ code: "PROTOCOL_ERROR", reason, lastStreamId: 0 });
  }

  /** The client has sent on a stream that it had ended (RFC 9113 §5.1). */
  misuseStream(): void {
    this.misusedStreams += 1;
    if (this.misusedStreams === 1) {
      this.goaway({ code: "STREAM_CLOSED", reason: "Frame on a closed stream", lastStreamId: 0 });
    }
  }

  resetStreams(code: number): void {
    for (const stream of this.#streams.values()) stream.close(code);
  }

  /** Reads nothing and writes nothing any more, as a process that was stopped. */
  freeze(): void {
    if (this.state === "closed") return;
    this.state = "frozen";
    this.#thawed ??= Promise.withResolvers();
    this.#tap.freeze();
  }

  /** While frozen: resolves when it is no longer. */
  get thawed(): Promise<void> | undefined {
    return this.#thawed?.promise;
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = this.#closeWhenIdle ? "draining" : "open";
    this.#tap.thaw();
    this.#thawed?.resolve();
    this.#thawed = undefined;
  }

  /** Ends the connection after what is on its way. */
  finish(): void {
    this.#tap.finish();
  }

  /** Ends the connection with a TCP RST. */
  reset(): void {
    this.#tap.reset();
    this.#session.destroy();
  }

  /** `node:http2` takes a last-stream-id of 0 for "the newest", so this frame is written by hand. */
  #sendGoawayForAll(code: number, data: Buffer = Buffer.alloc(0)): void {
    this.wedged = true;
    this.#tap.inject(goawayFrame(0, code, data));
  }

  #lastStreamFor({ lastStreamId, keep }: Omit<Goaway, "connection">): number {
    // A client's streams have odd numbers, and nghttp2 sends no GOAWAY with another one.
    if (lastStreamId !== undefined)
      return lastStreamId % 2 === 0 ? Math.max(0, lastStreamId - 1) : lastStreamId;
    if (keep === undefined) return this.#newest;
    const inFlight = [...this.#streams.keys()].toSorted((one, other) => one - other);
    if (keep >= inFlight.length) return this.#newest;
    return keep > 0 ? (inFlight[keep - 1] ?? this.#newest) : Math.max(0, (inFlight[0] ?? 1) - 2);
  }
}
