import { type Health, type Millis, millis, minutes, type Outcome, seconds } from "@reveille/wakeup";

import { Breaker, shownBy, type ProbeResult } from "../breaker.ts";
import { type Connection } from "./connection.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";
import { type AnswerKind, type Judgement } from "./judgement.ts";
import { type Passage, type Push, WaitingLine } from "./passage.ts";

/** How long a push waits for a free slot; then the queue has the better patience. */
const WAIT_WITHIN = seconds(10);
/** How often a push that was provably not processed is sent again. */
const MOST_REPEATS = 3;
const MOST_BLAMED = 1_000;
const TICK = millis(250);
/** A tick this late means that this process stood still: answers may be waiting to be read before the next. */
const LATE = seconds(2);
const DRAIN_WITHIN = seconds(20);
const CLOSE_WITHIN = seconds(1);

/** Pushes to one endpoint with one credential. Keeps its connections by itself; nothing here throws. */
export class Pool implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #fleet: Fleet;
  readonly #rest: Breaker;
  readonly #waiting = new WaitingLine();
  /** Secret: devices whose pushes were refused for one connection after the other. */
  readonly #blamed = new Set<string>();
  readonly #stopped = new AbortController();
  readonly #ticking: Promise<void>;
  #draining = false;
  #progress: (() => void) | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#rest = restOf(options);
    this.#fleet = new Fleet(options, {
      settled: (connection, passage, judgement) => this.#settled(connection, passage, judgement),
      changed: () => {
        this.#fleet.fill(this.#waiting.size > 0);
        this.#advance();
      },
    });
    this.#fleet.fill(false);
    this.#ticking = this.#tickOn();
  }

  get name(): string {
    return this.#options.name;
  }

  /** Settles the push with what APNs has done with it: within 20 s, unless it has to be repeated. */
  send(push: Push): void {
    if (this.#draining) return push.settle(unreachable("shutting down"));
    const permit = this.#rest.ask(push.device);
    if (permit.kind === "parked") return push.settle(unreachable(permit.because, permit.retryAfter));
    const waitingSince = this.#options.clock.monotonic();
    const blamed = this.#blamed.has(push.device);
    this.#waiting.add({ push, permit, waitingSince, blamed, repeats: 0, triedOn: undefined });
    this.#advance();
  }

  /** How many more pushes could leave now; negative: so many are waiting. */
  get freeSlots(): number {
    return this.#draining ? 0 : this.#fleet.freeSlots - this.#waiting.size;
  }

  get health(): Health {
    return this.#draining ? { kind: "draining" } : this.#fleet.health;
  }

  /** Settles what is under way (20 s at most), then closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    await this.#until(() => this.#waiting.size === 0 && this.#fleet.inFlight === 0, DRAIN_WITHIN);
    this.#stopped.abort();
    this.#giveUpWaiting(Number.POSITIVE_INFINITY, unreachable("shut down before it could be sent"));
    this.#fleet.drain("shutting down");
    await this.#until(() => this.#fleet.size === 0, CLOSE_WITHIN);
    this.#fleet.destroy("shut down");
    await this.#ticking;
  }

  /** Sends what waits, as far as there are free slots. */
  #advance(): void {
    for (let passage = this.#waiting.first(); passage !== undefined; passage = this.#waiting.first()) {
      const connection = this.#fleet.pick(passage.triedOn);
      if (connection === undefined) return this.#stuck();
      this.#waiting.remove(passage);
      connection.send(passage);
    }
    this.#progress?.();
  }

  #stuck(): void {
    this.#fleet.fill(true);
    const down = this.#fleet.down;
    if (down !== undefined)
      this.#giveUpWaiting(Number.POSITIVE_INFINITY, unreachable(down.because, down.retryAfter));
  }

  #settled(connection: Connection, passage: Passage, judgement: Judgement): void {
    const { outcome, repeatElsewhere, answer } = judgement;
    this.#rest.heard(passage.permit, PROBE_RESULT_OF[answer], shownBy(outcome));
    this.#blame(passage, judgement);
    if (
      repeatElsewhere &&
      !passage.blamed &&
      passage.repeats < MOST_REPEATS &&
      !this.#stopped.signal.aborted
    ) {
      passage.repeats += 1;
      passage.triedOn = connection.id;
      passage.waitingSince = this.#options.clock.monotonic();
      this.#waiting.add(passage);
    } else {
      passage.push.settle(outcome);
    }
    this.#advance();
  }

  /** What is refused for its connection on a second one as well is the device's fault, until one of its pushes is not. */
  #blame({ push, repeats }: Passage, { leaveBecause, answer }: Judgement): void {
    if (leaveBecause === undefined && answer !== "none") this.#blamed.delete(push.device);
    if (leaveBecause === undefined || repeats === 0) return;
    if (this.#blamed.size >= MOST_BLAMED) this.#blamed.clear();
    this.#blamed.add(push.device);
  }

  #giveUpWaiting(since: number, outcome: Outcome): void {
    for (const { push, permit } of this.#waiting.takeSince(since)) {
      this.#rest.heard(permit, "unclear", { reason: "" });
      push.settle(outcome);
    }
    this.#progress?.();
  }

  async #tickOn(): Promise<void> {
    const { clock } = this.#options;
    const stop = this.#stopped.signal;
    let late = false;
    for (;;) {
      const before = clock.monotonic();
      await clock.sleep(TICK, stop);
      if (stop.aborted) return;
      late = !late && clock.monotonic() - before > LATE;
      if (late) continue;
      this.#giveUpWaiting(clock.monotonic() - WAIT_WITHIN, unreachable("no free connection within 10 s"));
      this.#fleet.tick(this.#waiting.size > 0);
    }
  }

  /** Resolves when `done`, at the latest after `limit`. */
  async #until(done: () => boolean, limit: Millis): Promise<void> {
    const enough = new AbortController();
    this.#progress = () => {
      if (done()) enough.abort();
    };
    this.#progress();
    await this.#options.clock.sleep(limit, enough.signal);
    this.#progress = undefined;
  }
}

const PROBE_RESULT_OF: Readonly<Record<AnswerKind, ProbeResult>> = {
  accepted: "good",
  denied: "good",
  trouble: "refused",
  none: "unclear",
};

/** Gives an endpoint a rest that answers everything with 5xx; Apple wants such pushes much later. */
function restOf({ name: pool, clock, observe, random }: FleetOptions): Breaker {
  return new Breaker({
    threshold: 10,
    devices: 3,
    triesOthers: false,
    restBefore: (round) => millis(Math.min(minutes(5), seconds(5) * 2 ** (round - 1)) * (0.5 + random() / 2)),
    clock,
    changed: (state, because) =>
      observe({ kind: "endpoint-rest-changed", pool, state, ...(because === undefined ? {} : { because }) }),
  });
}

const unreachable = (reason: string, retryAfter?: Millis): Outcome => ({
  kind: "unreachable",
  reason,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});
