/** Counts since the start or the last reset. */
export interface Stats {
  /** Requests received whole. */
  readonly pushes: number;
  /** By status, with the reason if there was one: `200`, `410 Unregistered`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests whose stream ended without an answer. */
  readonly cut: number;
  readonly connectionsOpened: number;
  /** TLS handshakes that failed. */
  readonly handshakesFailed: number;
  /** Streams clients opened beyond the limit they were told. */
  readonly excessStreams: number;
}

/** The counts as the simulator writes them. */
export class Counters {
  pushes = 0;
  cut = 0;
  connectionsOpened = 0;
  handshakesFailed = 0;
  excessStreams = 0;
  readonly #answers = new Map<string, number>();

  answered(status: number, reason: string | undefined): void {
    const key = reason === undefined ? String(status) : `${status} ${reason}`;
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
  }

  snapshot(): Stats {
    const { pushes, cut, connectionsOpened, handshakesFailed, excessStreams } = this;
    const answers = Object.fromEntries(this.#answers);
    return { pushes, answers, cut, connectionsOpened, handshakesFailed, excessStreams };
  }

  clear(): void {
    Object.assign(this, { pushes: 0, cut: 0, connectionsOpened: 0, handshakesFailed: 0, excessStreams: 0 });
    this.#answers.clear();
  }
}
