/** One push request and what became of it. */
export interface Push {
  /** Lower-case; as sent otherwise, so it may be nonsense. */
  readonly token: string;
  readonly topic: string | undefined;
  /** All request headers, the `authorization` included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as JSON; `undefined` if it is none. */
  readonly payload: unknown;
  /** Echoed or made up, as the answer has it. */
  readonly apnsId: string;
  /** When the last byte of the request was there, in milliseconds since 1970. */
  readonly receivedAt: number;
  readonly connection: number;
  readonly stream: number;
  /**
   * `pending`: not answered yet. `answered`: `status` and `reason` are set. `cut`: reset by a fault, or the
   * stream was gone before the answer was due (GOAWAY, client, connection).
   */
  readonly state: "pending" | "answered" | "cut";
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly settledAt: number | undefined;
  /** Apple took it: the device gets it, whether or not the provider was told. */
  readonly processed: boolean;
}

/** A push whose end is still to be written. */
export type OpenPush = { -readonly [Field in keyof Push]: Push[Field] };

/** What providers have asked for, in the order of arrival. */
export interface Ledger {
  readonly pushes: readonly Push[];
  /** Every request for that device token, accepted or not. */
  readonly pushesTo: (token: string) => readonly Push[];
  /** Those that Apple took. "Each device exactly once" is `processedFor(token).length === 1` for all. */
  readonly processedFor: (token: string) => readonly Push[];
  /** Device tokens of all recorded pushes, in the order of their first one. */
  readonly tokens: () => readonly string[];
  /** Pushes not recorded because the ledger was full. */
  readonly unrecorded: number;
}

/** The ledger as the simulator writes it. Holds at most `limit` pushes; later ones are only counted. */
export class PushLedger implements Ledger {
  readonly #limit: number;
  readonly #byToken = new Map<string, Push[]>();
  #pushes: Push[] = [];
  #unrecorded = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get pushes(): readonly Push[] {
    return this.#pushes;
  }

  get unrecorded(): number {
    return this.#unrecorded;
  }

  readonly pushesTo = (token: string): readonly Push[] => this.#byToken.get(token.toLowerCase()) ?? [];

  readonly processedFor = (token: string): readonly Push[] =>
    this.pushesTo(token).filter((push) => push.processed);

  readonly tokens = (): readonly string[] => [...this.#byToken.keys()];

  record(push: Push): void {
    if (this.#pushes.length >= this.#limit) {
      this.#unrecorded += 1;
      return;
    }
    this.#pushes.push(push);
    const ofToken = this.#byToken.get(push.token);
    if (ofToken === undefined) this.#byToken.set(push.token, [push]);
    else ofToken.push(push);
  }

  clear(): void {
    this.#pushes = [];
    this.#byToken.clear();
    this.#unrecorded = 0;
  }
}
