import { type WireEvents, type WireRequest, type WireResult } from "../wire.ts";
import { contentOf, DEFAULT, ERROR, FLAG, FRAME, type Frame, FrameReader, SETTING } from "./frame.ts";
import { checkFrame, readSettings } from "./frame-rules.ts";
import { FrameStream } from "./frame-stream.ts";
import { HeaderBlock } from "./header-block.ts";
import { HeaderDecoder } from "./header-decoder.ts";
import { Output } from "./output.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** `:method: POST` and `:scheme: https`: entries 3 and 7 of the static table. */
const POST_HTTPS = Buffer.of(0x83, 0x87);
/** We write without a table, which the other side wants to hear before the first block (RFC 7541 §6.3). */
const NO_TABLE = Buffer.of(0x20);
const LARGEST_WINDOW = 2 ** 31 - 1;
const LAST_STREAM = 2 ** 31 - 1;

export interface FrameSessionOptions {
  /** The `:authority` of all requests. */
  readonly authority: string;
  readonly events: Pick<WireEvents, "settings" | "goaway">;
  /** There is output to be written. */
  readonly written: () => void;
}

/** The client's side of an HTTP/2 connection (RFC 9113) without its socket, as far as pushes need it. */
export class FrameSession {
  readonly output = new Output();
  readonly #options: FrameSessionOptions;
  readonly #pseudoHeaders: Buffer;
  readonly #reader = new FrameReader((frame) => this.#handle(frame));
  readonly #headers = new HeaderDecoder();
  readonly #streams = new Map<number, FrameStream>();
  /** Streams whose body waits for a window, oldest first. */
  readonly #blocked = new Set<FrameStream>();
  readonly #pings = new Map<number, (answered: boolean) => void>();
  /** What is the same for thousands of requests is encoded once. */
  readonly #encoded = new WeakMap<readonly string[], Buffer>();
  #nextStream = 1;
  /** The newest stream that has left for the socket. */
  #lastWritten = 0;
  #lastPing = 0;
  #streamLimit: number | undefined;
  #window: number = DEFAULT.window;
  #streamWindow: number = DEFAULT.window;
  #frameSize: number = DEFAULT.frameSize;
  #receivedBytes = 0;
  /** A header block that goes on in the next frame. */
  #block: HeaderBlock | undefined;

  constructor(options: FrameSessionOptions) {
    this.#options = options;
    this.#pseudoHeaders = new Output()
      .bytes(POST_HTTPS)
      .headers([":authority", options.authority])
      .take().bytes;
    this.output.bytes(PREFACE).begin(FRAME.settings, 0, 0).uint(SETTING.enablePush, 2).uint(0, 4).end();
  }

  /** Everything to be written, which counts as sent from now on. */
  takeOutput(): ReturnType<Output["take"]> {
    this.#lastWritten = this.#nextStream - 2;
    return this.output.take();
  }

  /** `undefined` when the connection has no stream left. */
  open(request: WireRequest): FrameStream | undefined {
    if (this.#nextStream > LAST_STREAM) return undefined;
    const stream = new FrameStream(this.#nextStream, request, this.#streamWindow);
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    const { output } = this;
    output.begin(FRAME.headers, FLAG.endHeaders, stream.id);
    if (stream.id === 1) output.bytes(NO_TABLE);
    output.bytes(this.#pseudoHeaders).secretHeaders([":path", request.path]);
    output.bytes(this.#encodedOnce(request.headers)).secretHeaders(request.ownHeaders).end();
    this.#sendBody(stream);
    this.#options.written();
    return stream;
  }

  cancel(stream: FrameStream, because: string): void {
    if (!this.#streams.has(stream.id)) return;
    this.#reset(stream);
    this.#settle(stream, { kind: "unanswered", because });
  }

  ping(heard: (answered: boolean) => void): void {
    this.#lastPing += 1;
    this.#pings.set(this.#lastPing, heard);
    this.output.begin(FRAME.ping, 0, 0).uint(0, 4).uint(this.#lastPing, 4).end();
    this.#options.written();
  }

  goaway(): void {
    this.output.begin(FRAME.goaway, 0, 0).uint(0, 4).uint(ERROR.none, 4).end();
    this.#options.written();
  }

  /** Throws an Error if the other side breaks the protocol; the connection is of no more use then. */
  receive(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  /** The connection is gone: settles all that is still under way. */
  end(because: string): void {
    for (const stream of this.#streams.values()) {
      const kind = stream.id > this.#lastWritten ? "unprocessed" : "unanswered";
      this.#settle(stream, { kind, because });
    }
  }
  #handle(frame: Frame): void {
    const { type, flags, stream, payload } = frame;
    if (this.#block !== undefined && type !== FRAME.continuation)
      throw new Error("a header block is cut off");
    if (this.#streamLimit === undefined && type !== FRAME.settings)
      throw new Error("it does not begin with SETTINGS");
    checkFrame(frame, this.#nextStream - 2);
    switch (type) {
      case FRAME.data:
        return this.#readData(frame);
      case FRAME.headers:
        if ((flags & FLAG.endHeaders) !== 0) return this.#readHeaders(frame, contentOf(frame));
        this.#block = new HeaderBlock(frame);
        return;
      case FRAME.continuation:
        return this.#readOn(frame);
      case FRAME.resetStream:
        return this.#readReset(stream, payload.readUInt32BE(0));
      case FRAME.settings:
        return this.#readSettings(flags, payload);
      case FRAME.ping:
        return this.#readPing(flags, payload);
      case FRAME.goaway:
        return this.#readGoaway(payload);
      case FRAME.windowUpdate:
        return this.#readWindowUpdate(stream, payload.readUInt32BE(0) & LARGEST_WINDOW);
      case FRAME.pushPromise:
        throw new Error("it pushes, which we have switched off");
      default:
      // Of other types nothing needs to be known (RFC 9113 §5.5).
    }
  }

  #readData(frame: Frame): void {
    // Padding counts as well (RFC 9113 §6.9.1). Streams are too short to need more than their first window.
    this.#receivedBytes += frame.payload.length;
    if (this.#receivedBytes >= DEFAULT.window / 2) {
      this.output.begin(FRAME.windowUpdate, 0, 0).uint(this.#receivedBytes, 4).end();
      this.#receivedBytes = 0;
      this.#options.written();
    }
    const content = contentOf(frame);
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) return;
    stream.readBody(content, frame.payload.length);
    if ((frame.flags & FLAG.endStream) !== 0) this.#answered(stream);
  }

  #readOn(frame: Frame): void {
    if (this.#block === undefined) throw new Error("a header block goes on that never began");
    const { first } = this.#block;
    const whole = this.#block.add(frame);
    if (whole === undefined) return;
    this.#block = undefined;
    this.#readHeaders(first, whole);
  }

  #readHeaders({ stream: id, flags }: Frame, block: Buffer): void {
    // Also of streams that are gone: the table has to be kept in step.
    const headers = this.#headers.decode(block);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.readHeaders(headers);
    if ((flags & FLAG.endStream) !== 0) this.#answered(stream);
  }

  #readReset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const refused = code === ERROR.refusedStream;
    this.#settle(
      stream,
      refused
        ? { kind: "unprocessed", because: "refused" }
        : { kind: "unanswered", because: `reset with code ${code}` },
    );
  }

  #readSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) !== 0) return;
    const settings = readSettings(payload);
    const streamLimit = settings.get(SETTING.streamLimit) ?? this.#streamLimit ?? Number.POSITIVE_INFINITY;
    this.#frameSize = settings.get(SETTING.frameSize) ?? this.#frameSize;
    this.#moveWindows(settings.get(SETTING.initialWindow) ?? this.#streamWindow);
    this.output.begin(FRAME.settings, FLAG.ack, 0).end();
    this.#options.written();
    if (streamLimit === this.#streamLimit) return;
    this.#streamLimit = streamLimit;
    this.#options.events.settings(streamLimit);
  }

  /** Moves those of open streams as well (RFC 9113 §6.9.2). */
  #moveWindows(value: number): void {
    if (value === this.#streamWindow) return;
    for (const stream of this.#streams.values()) {
      stream.window += value - this.#streamWindow;
      if (stream.window > LARGEST_WINDOW) throw new Error("a window is too large");
    }
    this.#streamWindow = value;
    this.#sendBlocked();
  }

  #readPing(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) === 0) {
      this.output.begin(FRAME.ping, FLAG.ack, 0).bytes(payload).end();
      return this.#options.written();
    }
    const id = payload.readUInt32BE(4);
    this.#pings.get(id)?.(true);
    this.#pings.delete(id);
  }

  #readGoaway(payload: Buffer): void {
    const last = payload.readUInt32BE(0) & LAST_STREAM;
    this.#options.events.goaway(payload.toString("utf8", 8));
    for (const stream of this.#streams.values()) {
      if (stream.id > last) this.#settle(stream, { kind: "unprocessed", because: "beyond GOAWAY" });
    }
  }

  #readWindowUpdate(id: number, more: number): void {
    if (more === 0) throw new Error("a window grows by nothing");
    const stream = this.#streams.get(id);
    if (id === 0) this.#window += more;
    else if (stream !== undefined) stream.window += more;
    if (Math.max(this.#window, stream?.window ?? 0) > LARGEST_WINDOW)
      throw new Error("a window is too large");
    if (id === 0) this.#sendBlocked();
    else if (stream !== undefined && this.#blocked.has(stream)) this.#sendBody(stream);
  }

  #sendBlocked(): void {
    for (const stream of this.#blocked) {
      if (this.#window <= 0) return;
      this.#sendBody(stream);
    }
  }

  /** Sends as much as the windows allow; the rest when they grow. */
  #sendBody(stream: FrameStream): void {
    const { body } = stream.request;
    while (!stream.isSent) {
      const bytes = Math.min(body.length - stream.sent, this.#window, stream.window, this.#frameSize);
      if (bytes <= 0) return void this.#blocked.add(stream);
      const end = stream.sent + bytes;
      this.output.begin(FRAME.data, end === body.length ? FLAG.endStream : 0, stream.id);
      this.output.bytes(body.subarray(stream.sent, end)).end();
      stream.sent = end;
      stream.window -= bytes;
      this.#window -= bytes;
      this.#options.written();
    }
    this.#blocked.delete(stream);
  }

  #answered(stream: FrameStream): void {
    // Answered before it was asked to the end: the rest of the body is of no interest.
    if (!stream.isSent) this.#reset(stream);
    this.#settle(stream, { kind: "unanswered", because: "an answer without a status" });
  }

  #reset({ id }: FrameStream): void {
    this.output.begin(FRAME.resetStream, 0, id).uint(ERROR.cancel, 4).end();
    this.#options.written();
  }

  #settle(stream: FrameStream, otherwise: WireResult): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
    stream.request.settle(stream.result(otherwise));
  }

  #encodedOnce(headers: readonly string[]): Buffer {
    const known = this.#encoded.get(headers);
    if (known !== undefined) return known;
    const encoded = new Output().headers(headers).take().bytes;
    this.#encoded.set(headers, encoded);
    return encoded;
  }
}
