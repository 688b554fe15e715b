import { type Socket } from "node:net";
import { Duplex } from "node:stream";
import { type TLSSocket } from "node:tls";

interface Chunk {
  readonly chunk: Buffer;
}

/** Written into the tap like data, so that it keeps its place in the order. */
const END = Buffer.alloc(0);

/**
 * Stands between the TLS socket and `node:http2`, so that the simulator can do to a connection what the
 * library cannot: stop reading in the middle, hold back what was written, look at frames, end without a
 * farewell. Costs nothing measurable per push.
 */
export class Tap extends Duplex {
  readonly #socket: TLSSocket;
  readonly #raw: Socket;
  readonly #onBytes: (chunk: Buffer) => void;
  #frozen = false;
  #held: (() => void)[] = [];

  /** `raw` is the TCP socket under `socket`; `onBytes` sees all that the client sends, decrypted. */
  constructor(socket: TLSSocket, raw: Socket, onBytes: (chunk: Buffer) => void) {
    super();
    this.#socket = socket;
    this.#raw = raw;
    this.#onBytes = onBytes;
    socket.setNoDelay(true);
    socket.pause();
    socket.on("data", (chunk: Buffer) => {
      this.#onBytes(chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error: Error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Neither reads nor writes from now on; the kernel still acknowledges what arrives. */
  freeze(): void {
    this.#frozen = true;
    this.#socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const release of this.#held.splice(0)) release();
    this.#socket.resume();
  }

  /**
   * Writes a frame that `node:http2` knows nothing of. The library writes whole frames,
   * one turn of the loop after they were asked for, so this comes between two and after what was asked before.
   */
  inject(frame: Buffer): void {
    setImmediate(() => {
      if (!this.destroyed) this.write(frame);
    });
  }

  /** Ends the connection when what was written has left; what is written later is dropped. */
  finish(): void {
    this.inject(END);
  }

  /** Ends the connection with a TCP RST. */
  reset(): void {
    this.#raw.resetAndDestroy();
    this.destroy();
  }

  override _read(): void {
    if (!this.#frozen) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#unlessFrozen(() => this.#pass([{ chunk }], done));
  }

  override _writev(chunks: Chunk[], done: (error?: Error | null) => void): void {
    this.#unlessFrozen(() => this.#pass(chunks, done));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#unlessFrozen(() => {
      this.#socket.end();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #unlessFrozen(write: () => void): void {
    if (this.#frozen) this.#held.push(write);
    else write();
  }

  #pass(chunks: readonly Chunk[], done: (error?: Error | null) => void): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) {
      done();
      return;
    }
    const end = chunks.findIndex(({ chunk }) => chunk === END);
    const toWrite = end === -1 ? chunks : chunks.slice(0, end);
    this.#socket.cork();
    for (const { chunk } of toWrite) this.#socket.write(chunk);
    this.#socket.write(END, done);
    this.#socket.uncork();
    if (end !== -1) this.#socket.end();
  }
}
