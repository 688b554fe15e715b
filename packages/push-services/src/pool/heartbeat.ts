import { type Clock, type Millis, seconds } from "@reveille/wakeup";

import { type Wire } from "../http2/wire.ts";

/** Keeps entries in NATs alive and finds out about connections that died quietly. */
const IDLE = seconds(60);
/** Apple answers within a tenth of a second; a second of silence with pushes under way is worth a question … */
const SILENCE = seconds(1);
/** … but not one every second while Apple is only slow. */
const LEAST_BETWEEN = seconds(5);
const PONG_WITHIN = seconds(4);

/** Asks a quiet connection by PING (RFC 9113 §6.7) whether it is alive. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #idle: number;
  #heardAt: Millis;
  #pingedAt: Millis | undefined;
  #awaiting = false;

  /** `asksIdle`: also when it is idle, and not only under suspicion. */
  constructor(clock: Clock, asksIdle: boolean) {
    this.#clock = clock;
    this.#idle = asksIdle ? IDLE : Number.POSITIVE_INFINITY;
    this.#heardAt = clock.monotonic();
  }

  /** The other side has said something. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  /** A question is under way. */
  get doubtful(): boolean {
    return this.#awaiting;
  }

  /** Whether pushes have been under way in silence for long enough to ask. */
  isSilent(waitingSince: Millis | undefined): boolean {
    if (waitingSince === undefined) return false;
    return this.#clock.monotonic() - Math.max(this.#heardAt, waitingSince) >= SILENCE;
  }

  /**
   * Sends a ping if the connection is idle or `suspected`; says why to give it up if none comes back in time.
   */
  check(suspected: boolean, ping: Wire["ping"]): string | undefined {
    const now = this.#clock.monotonic();
    const sincePing = now - (this.#pingedAt ?? Number.NEGATIVE_INFINITY);
    if (this.#awaiting) {
      return sincePing < PONG_WITHIN ? undefined : `no answer to a ping within ${PONG_WITHIN / 1_000} s`;
    }
    if (sincePing < LEAST_BETWEEN || (!suspected && now - this.#heardAt < this.#idle)) return undefined;
    this.#pingedAt = now;
    this.#awaiting = true;
    ping((answered) => {
      if (!answered) return;
      this.#awaiting = false;
      this.heard();
    });
    return undefined;
  }
}
