import { type Clock, millis } from "@reveille/wakeup";

import { Histogram } from "./histogram.ts";

/**
 * `saturation`: a closed loop, so many wakeups in flight and not one more. `rate`: an open loop, so many a
 * second whatever comes back. `idle`: none.
 */
export type Load =
  | { readonly mode: "saturation"; readonly inFlight: number }
  | { readonly mode: "rate"; readonly rate: number }
  | { readonly mode: "idle" };

/** Counts since the start; latencies since the last mark, as a `Histogram` takes them. */
export interface Mark {
  /** By the monotonic clock of its process, in milliseconds. */
  readonly at: number;
  readonly sent: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly latencies: Uint32Array;
}

export interface LoadLoopOptions {
  readonly load: Load;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  /** Sends the wakeups `first` to `first + count - 1`. */
  readonly send: (first: number, count: number) => void;
}

/** What became of every wakeup, by its index. */
export interface Journal {
  /** When it should have left, in milliseconds since 1970. */
  readonly intended: Float64Array;
  /** 1: answered with `ACCEPTED`. */
  readonly accepted: Uint8Array;
}

/** The answer that makes a wakeup count. */
export const ACCEPTED = "accepted";

/** An open loop sends in steps of this many milliseconds: all that is due, in one go. */
export const STEP = 1;

/** An overtaken open loop stops sending here, so that it measures a long queue and not its own memory. */
const MOST_IN_FLIGHT = 10_000;

const SENT = 1;
const TAKEN = 2;
const REFUSED = 3;

/** A closed loop lets so many answered wakeups be on their way to the far end: half as many again as a worker takes. */
const MOST_BEHIND = 3_000;

/**
 * Says when wakeups are sent and keeps their latencies, each from the time it should have been sent: one that
 * left late because the system was slow counts with its delay ("coordinated omission").
 */
export class LoadLoop {
  readonly #options: LoadLoopOptions;
  readonly #latencies = new Histogram();
  readonly #answers = new Map<string, number>();
  readonly #startedAt: number;
  readonly #stopped = new AbortController();
  #intended = new Float64Array(2 ** 16);
  #states = new Uint8Array(2 ** 16);
  #sent = 0;
  #answered = 0;
  #arrived: number | undefined;

  constructor(options: LoadLoopOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.pump();
    if (options.load.mode === "rate") void this.#step();
  }

  /** Takes the answer of wakeup `index`; `now` by the clock's monotonic time. Call `pump` after the last. */
  answered(index: number, answer: string, now: number): void {
    if (this.#states[index] !== SENT) throw new Error(`an answer to wakeup ${index}, which is not in flight`);
    this.#states[index] = answer === ACCEPTED ? TAKEN : REFUSED;
    this.#latencies.record(now - (this.#intended[index] ?? now));
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
    this.#answered += 1;
  }

  /** So many wakeups have reached the far end of the path. From now on a closed loop waits for that, too. */
  arrived(total: number): void {
    this.#arrived = total;
    this.pump();
  }

  /** Sends what may be sent now. */
  pump(): void {
    const count = this.#stopped.signal.aborted ? 0 : this.#allowed();
    if (count <= 0) return;
    const first = this.#sent;
    this.#intend(first, count);
    this.#sent += count;
    this.#options.send(first, count);
  }

  get inFlight(): number {
    return this.#sent - this.#answered;
  }

  mark(): Mark {
    return {
      at: this.#options.clock.monotonic(),
      sent: this.#sent,
      answers: Object.fromEntries(this.#answers),
      latencies: this.#latencies.take(),
    };
  }

  /** `epoch`: the time since 1970 at which the clock's monotonic time was 0. */
  journal(epoch: number): Journal {
    return {
      intended: this.#intended.slice(0, this.#sent).map((time) => epoch + time),
      accepted: this.#states.slice(0, this.#sent).map((state) => (state === TAKEN ? 1 : 0)),
    };
  }

  /** Sends no more; answers still count. */
  stop(): void {
    this.#stopped.abort();
  }

  #allowed(): number {
    const { load, clock } = this.#options;
    switch (load.mode) {
      case "saturation": {
        const behind = this.#arrived === undefined ? 0 : this.#answered - this.#arrived;
        return behind > MOST_BEHIND ? 0 : load.inFlight - this.inFlight;
      }
      case "rate": {
        const due = dueAfter(load.rate, clock.monotonic() - this.#startedAt);
        return Math.min(due - this.#sent, MOST_IN_FLIGHT - this.inFlight);
      }
      case "idle":
        return 0;
    }
  }

  #intend(first: number, count: number): void {
    const { load, clock } = this.#options;
    this.#makeRoomFor(first + count);
    this.#states.fill(SENT, first, first + count);
    const now = clock.monotonic();
    for (let index = first; index < first + count; index += 1) {
      this.#intended[index] = load.mode === "rate" ? this.#startedAt + dueTimeOf(load.rate, index) : now;
    }
  }

  #makeRoomFor(count: number): void {
    if (this.#intended.length >= count) return;
    const size = 2 ** Math.ceil(Math.log2(count));
    const [intended, states] = [new Float64Array(size), new Uint8Array(size)];
    intended.set(this.#intended);
    states.set(this.#states);
    this.#intended = intended;
    this.#states = states;
  }

  async #step(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const past = (clock.monotonic() - this.#startedAt) % STEP;
      await clock.sleep(millis(STEP - past));
      this.pump();
    }
  }
}

/** How many wakeups an open loop should have sent after so many milliseconds. */
export function dueAfter(rate: number, elapsed: number): number {
  return Math.floor((Math.floor(elapsed / STEP) * STEP * rate) / 1000);
}

/** When wakeup `index` is due, in milliseconds from the start: the first step at which `dueAfter` includes it. */
export function dueTimeOf(rate: number, index: number): number {
  return Math.ceil(((index + 1) * 1000) / rate / STEP) * STEP;
}
