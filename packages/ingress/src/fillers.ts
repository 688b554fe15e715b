import { type Clock, detached, type Millis, minutes } from "@reveille/wakeup";

/** Wakeups of each domain that went into Redis during some time. */
interface Stored {
  readonly since: Millis;
  readonly byPayer: Map<string, number>;
  all: number;
}

/** What was stored in the last ten to twenty minutes counts. */
const WINDOW = minutes(10);
/** A domain with so much of what was stored is one that fills Redis. */
const SHARE = 0.25;
/** Fewer wakeups say nothing. */
const LEAST = 1_000;
/** Most domains that are counted; what others store counts for all of them together. */
const MOST_PAYERS = 10_000;

/** Which domains fill Redis: the first to be answered with `wait` when it nears its share. */
export class Fillers {
  readonly #clock: Pick<Clock, "monotonic">;
  #now: Stored;
  #before: Stored;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#now = this.#fresh();
    this.#before = this.#fresh();
  }

  /** A wakeup of this domain was stored. `payer`: the name under which it counts together with others. */
  add(payer: string): void {
    this.#turn();
    this.#now.all += 1;
    const known = this.#now.byPayer.get(payer);
    if (known !== undefined) this.#now.byPayer.set(payer, known + 1);
    else if (this.#now.byPayer.size < MOST_PAYERS) this.#now.byPayer.set(detached(payer), 1);
  }

  /** Whether this domain has stored a quarter of what was stored lately, or more. */
  has(payer: string): boolean {
    this.#turn();
    const all = this.#now.all + this.#before.all;
    const own = (this.#now.byPayer.get(payer) ?? 0) + (this.#before.byPayer.get(payer) ?? 0);
    return all >= LEAST && own >= all * SHARE;
  }

  #turn(): void {
    const age = this.#clock.monotonic() - this.#now.since;
    if (age < WINDOW) return;
    this.#before = age < 2 * WINDOW ? this.#now : this.#fresh();
    this.#now = this.#fresh();
  }

  #fresh(): Stored {
    return { since: this.#clock.monotonic(), byPayer: new Map(), all: 0 };
  }
}
