import { type BatchId } from "@reveille/queue";
import {
  type Clock,
  failureReason,
  type Health,
  type Millis,
  millis,
  type Observe,
  type PublishResult,
  seconds,
  type Verdict,
  type VerdictKind,
  type Wakeup,
} from "@reveille/wakeup";

import { FlushPace } from "./flush-pace.ts";
import { Line, type LineLimits } from "./line.ts";
import { type AdmissionPort, type QueuePort } from "./ports.ts";
import { withRiders } from "./riders.ts";
import { type PendingPublish } from "./pending-publish.ts";

export interface MicroBatcherOptions {
  readonly admission: AdmissionPort;
  readonly queue: QueuePort;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly limits: LineLimits;
  /** Least time between the beginnings of two micro-batches while publishes keep coming. */
  readonly flushApart: Millis;
  /** How long a publish waits unanswered while admission or queue are away. */
  readonly holdFor: Millis;
  readonly answer: (waiting: PendingPublish, result: PublishResult) => void;
  /** Publishes were held as long as allowed, in vain: another ingress may do better. Told to wait until it resolves. */
  readonly onHeldInVain: () => Promise<void>;
}

/** As many as admission decides in one call. */
const BATCH = 128;

/** Admission and queue fail within a second; this is for a promise that never settles. */
const SETTLE_WITHIN = seconds(2);

const LOOK_EVERY = seconds(1);

const RESULT_OF: Readonly<Record<VerdictKind, PublishResult>> = {
  now: "queued",
  later: "later",
  merged: "merged",
  dead: "token-dead",
  "over-limit": "over-limit",
  "over-budget": "over-budget",
};

/**
 * From a publish to its reply: everything that arrived since the last micro-batch was taken makes up the next one. A
 * reply leaves only when its wakeup is durable. While admission or the queue are away, the publishes wait in their
 * order; nobody is told `forget` because of that.
 */
export class MicroBatcher {
  readonly #options: MicroBatcherOptions;
  readonly #line: Line;
  readonly #pace: FlushPace;
  readonly #stop = new AbortController();
  readonly #draining = new AbortController();
  #working: Promise<void> | undefined;
  /** Admitted `now`, not yet in the queue. */
  #decided: PendingPublish[] = [];
  /** Merged, perhaps into one of `#decided`: as durable as that is, and answered after it. */
  #merged: PendingPublish[] = [];
  /** Names `#decided` to the queue, so that it can be offered again. */
  #batchId: BatchId | undefined;
  /** With a verdict that needs no queue. */
  #settled: [PendingPublish, VerdictKind][] = [];
  #trouble: string | undefined;
  /** Our places go to another ingress just now. */
  #isLeaving = false;
  #pending: { readonly since: Millis; readonly giveUp: () => void } | undefined;

  constructor(options: MicroBatcherOptions) {
    this.#options = options;
    this.#line = new Line(options.limits);
    this.#pace = new FlushPace(options.clock, options.flushApart);
    void this.#watch();
  }

  /** Answers the publish, sooner or later, exactly once. */
  accept(waiting: PendingPublish): void {
    if (this.#draining.signal.aborted) return this.#options.answer(waiting, "draining");
    if (this.#isLeaving) return this.#options.answer(waiting, "our-trouble");
    if (!this.#line.join(waiting)) return this.#options.answer(waiting, "overload");
    if (this.#line.waiting >= BATCH) this.#pace.hurry();
    this.#working ??= this.#work();
  }

  /** Publishes not answered yet. */
  get inHand(): number {
    return this.#line.inHand;
  }

  /** Failing while publishes are held. */
  get health(): Health {
    if (this.#draining.signal.aborted) return { kind: "draining" };
    return this.#trouble === undefined ? { kind: "ready" } : { kind: "failing", because: this.#trouble };
  }

  /** Answers all in hand and takes nothing more; with a queue out of reach, at once. */
  async drain(): Promise<void> {
    this.#draining.abort();
    this.#pace.hurry();
    await this.#working;
    this.#stop.abort();
  }

  async #work(): Promise<void> {
    // What else this turn of the event loop reads goes into the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    let failures = 0;
    while (this.#line.inHand > 0) {
      await this.#pace.next(this.#line.waiting >= BATCH);
      failures = (await this.#flush()) ? 0 : failures + 1;
      await this.#endHold();
      if (failures > 0 && this.#line.inHand > 0) await this.#pause(failures);
    }
    // With nothing in hand there is nothing to hold; whether Redis is there is told by who owns the connection.
    this.#trouble = undefined;
    this.#working = undefined;
  }

  /** Settles one micro-batch; `false` if it, or a part of it, has to be tried again. */
  async #flush(): Promise<boolean> {
    const { clock, observe } = this.#options;
    const startedAt = clock.monotonic();
    let wakeups = this.#decided.length + this.#merged.length;
    try {
      if (wakeups === 0) wakeups = await this.#decide();
      await this.#enqueue();
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = failureReason(error);
    }
    this.#answerSettled();
    const ok = this.#trouble === undefined;
    observe({ kind: "flush-settled", wakeups, took: millis(clock.monotonic() - startedAt), ok });
    return ok;
  }

  async #decide(): Promise<number> {
    const batch = this.#line.take(BATCH);
    try {
      const verdicts = await this.#within(
        this.#options.admission.decide(
          batch.map(({ wakeup }) => wakeup),
          batch.map(({ sender }) => sender),
        ),
      );
      this.#sort(batch, verdicts);
    } catch (error) {
      this.#line.putBack(batch);
      throw error;
    }
    return batch.length;
  }

  #sort(batch: readonly PendingPublish[], verdicts: readonly Verdict[]): void {
    if (verdicts.length !== batch.length) throw new Error("admission gave another number of verdicts");
    for (const [index, waiting] of batch.entries()) {
      const verdict = verdicts[index] ?? { kind: "now" };
      const { kind } = verdict;
      if (verdict.kind === "now")
        this.#decided.push(verdict.unproven === true ? asUnproven(waiting) : waiting);
      else if (kind === "merged") this.#merged.push(waiting);
      else this.#settled.push([waiting, kind]);
    }
  }

  async #enqueue(): Promise<void> {
    if (this.#decided.length > 0) {
      const { queue } = this.#options;
      this.#batchId ??= queue.newBatchId?.();
      const wakeups = withRiders(this.#decided.map(wakeupOf), this.#merged.map(wakeupOf));
      await this.#within(queue.add(wakeups, this.#batchId));
    } else await this.#replicate();
    this.#batchId = undefined;
    for (const waiting of this.#decided) this.#settled.push([waiting, "now"]);
    for (const waiting of this.#merged) this.#settled.push([waiting, "merged"]);
    this.#decided = [];
    this.#merged = [];
  }

  /**
   * Nothing goes into the queue, but the trailing pushes, and those that others were merged into, may be in the primary
   * only so far. A `later` that is decided again is `merged`: with its own trailing push.
   */
  async #replicate(): Promise<void> {
    const { replicate } = this.#options.queue;
    const later = this.#settled.filter(([, verdict]) => verdict === "later");
    if (replicate === undefined || later.length + this.#merged.length === 0) return;
    try {
      await this.#within(replicate());
    } catch (error) {
      this.#settled = this.#settled.filter(([, verdict]) => verdict !== "later");
      this.#line.putBack(later.map(([waiting]) => waiting));
      throw error;
    }
  }

  #answerSettled(): void {
    for (const [waiting, verdict] of this.#settled) {
      this.#options.observe({ kind: "wakeup-admitted", wakeup: waiting.wakeup, verdict });
      this.#answer(waiting, RESULT_OF[verdict]);
    }
    this.#settled = [];
  }

  #answer(waiting: PendingPublish, result: PublishResult): void {
    this.#line.leave(waiting);
    this.#options.answer(waiting, result);
  }

  /** Between two attempts; while draining there is no second one. */
  async #pause(failures: number): Promise<void> {
    if (this.#draining.signal.aborted) return this.#giveUp(this.#allWaiting());
    const pause = millis(Math.min(50 * 2 ** failures, 500));
    return this.#options.clock.sleep(pause, this.#draining.signal);
  }

  /** Tells those to wait that waited too long; in trouble all, since then the place goes to another ingress. */
  async #endHold(): Promise<void> {
    const { clock, holdFor, onHeldInVain } = this.#options;
    const then = clock.monotonic() - holdFor;
    const oldest = this.#decided[0] ?? this.#merged[0] ?? this.#line.oldest;
    if (oldest === undefined || oldest.since > then) return;
    if (this.#trouble === undefined) return this.#giveUp(this.#line.takeOlderThan(then));
    this.#isLeaving = true;
    this.#giveUp(this.#allWaiting());
    await onHeldInVain();
    this.#isLeaving = false;
  }

  /** Takes all out that are not being tried just now. */
  #allWaiting(): readonly PendingPublish[] {
    const decided = [...this.#decided, ...this.#merged];
    this.#decided = [];
    this.#merged = [];
    this.#batchId = undefined;
    return [...decided, ...this.#line.take(Number.POSITIVE_INFINITY)];
  }

  #giveUp(held: readonly PendingPublish[]): void {
    for (const waiting of held) this.#answer(waiting, "our-trouble");
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new Error("no answer in time"));
    this.#pending = { since: this.#options.clock.monotonic(), giveUp };
    return Promise.race([work, promise]);
  }

  /** Watches the time of each attempt: a timer for each would cost more than the rest of its way. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(LOOK_EVERY, this.#stop.signal);
      const isHanging =
        this.#pending !== undefined && clock.monotonic() - this.#pending.since >= SETTLE_WITHIN;
      if (isHanging) this.#pending?.giveUp();
    }
  }
}

const asUnproven = (waiting: PendingPublish): PendingPublish => ({
  ...waiting,
  wakeup: { ...waiting.wakeup, unproven: true },
});

const wakeupOf = ({ wakeup }: PendingPublish): Wakeup => wakeup;
