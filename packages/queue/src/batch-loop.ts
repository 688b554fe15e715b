import { failureReason, type Clock, type Millis, millis, type Observe, seconds } from "@reveille/wakeup";

import { MOST_PER_BATCH } from "./batch.ts";
import { type BatchSource, type TakenBatch } from "./batch-source.ts";

export interface BatchLoopOptions {
  readonly source: BatchSource;
  /** Never rejects. */
  readonly settle: (batch: TakenBatch) => Promise<void>;
  readonly batchesAtOnce: number;
  /** How many more wakeups can be settled without waiting for others. */
  readonly room: () => number;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly stop: AbortSignal;
}

/**
 * While batches come closer together than this, Redis is asked once in this time for all of them, not once for each: it
 * costs 1.5 ms in the mean and saves half of the questions at 1,000 batches per second.
 */
const PACE = millis(3);

/** The mean distance of batches is taken over about so many questions. */
const REMEMBERED = 8;

/** Batches asked for at once, when many wait: more would gain nothing. */
const MOST_ASKED_AT_ONCE = 8;

/**
 * Without room and with nothing in hand the push services are out of reach. While another worker of the region can send, this
 * one takes a batch after this time only, and only if the oldest one is neglected.
 */
const HESITATION = seconds(5);
const LOOK_FOR_ROOM_EVERY = millis(50);
const LOOK_FOR_ABLE_EVERY = seconds(1);

/** Time between two questions to a Redis that refuses to serve: it would answer thousands of times per second. */
const PAUSE_AFTER_REFUSAL = seconds(1);

/** Takes batches from one source and settles so many at once, until it is told to stop. */
export class BatchLoop {
  readonly #options: BatchLoopOptions;
  /** Batches in hand and when they were taken, oldest first. */
  readonly #inHand = new Map<Promise<void>, Millis>();
  #unanswered = 0;
  #taken = 0;
  /** When the newest answer came, or the first question after it. */
  #owedSince = millis(0);
  #refusal: string | undefined;
  #anyAble = false;
  #lookForAbleAt = 0;

  constructor(options: BatchLoopOptions) {
    this.#options = options;
  }

  /** Resolves once it has stopped and nothing is in hand any more. */
  async run(): Promise<void> {
    const { clock, stop } = this.#options;
    let sweptAt = clock.monotonic();
    let apart = REMEMBERED * PACE;
    while (!stop.aborted) {
      const found = await this.#sweep();
      const now = clock.monotonic();
      if (found > 0) {
        const between = Math.min((now - sweptAt) / found, REMEMBERED * PACE);
        apart += (between - apart) / REMEMBERED;
        sweptAt = now;
      }
      if (found > 0 && apart < PACE) await clock.sleep(PACE, stop);
      // A Redis that refuses is asked on one connection, which has paused by now, and not on that for waiting as well.
      else if (this.#refusal === undefined) await this.#wait();
    }
    await this.emptyHanded();
  }

  /** Resolves once what is in hand now is settled. */
  async emptyHanded(): Promise<void> {
    await Promise.all(this.#inHand.keys());
  }

  /** Batches taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Why nothing can be taken from the queue now. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** How long the source has been owing an answer; 0 while it is not asked. A waiting one answers within 10 s. */
  get unansweredFor(): Millis {
    if (this.#unanswered === 0) return millis(0);
    return millis(this.#options.clock.monotonic() - this.#owedSince);
  }

  /** How long the oldest batch in hand has been there; 0 if there is none. */
  get heldFor(): Millis {
    const now = this.#options.clock.monotonic();
    const [oldest = now] = this.#inHand.values();
    return millis(now - oldest);
  }

  /** Takes all that waits, as far as there are hands for it. */
  async #sweep(): Promise<number> {
    let found = 0;
    for (;;) {
      const asked = Math.min(await this.#freeHands(), MOST_ASKED_AT_ONCE);
      if (this.#options.stop.aborted) return found;
      const batches = (await this.#ask(() => this.#options.source.take(asked))) ?? [];
      for (const batch of batches) this.#work(batch);
      found += batches.length;
      if (batches.length < asked) return found;
    }
  }

  async #freeHands(): Promise<number> {
    const { batchesAtOnce, room, clock, stop } = this.#options;
    while (this.#inHand.size >= batchesAtOnce) await Promise.race(this.#inHand.keys());
    // Room comes wakeup by wakeup, so no batch is waited for.
    while (this.#inHand.size > 0 && room() <= 0 && !stop.aborted) await clock.sleep(PACE, stop);
    await this.#hesitate();
    return Math.min(batchesAtOnce - this.#inHand.size, Math.max(1, Math.ceil(room() / MOST_PER_BATCH)));
  }

  /** If nobody can send, batches are taken all the same: their deadlines may be over, and a push may be the proof of a cure. */
  async #hesitate(): Promise<void> {
    const { source, room, clock, stop } = this.#options;
    let since = clock.monotonic();
    while (room() <= 0 && !stop.aborted && (await this.#isAnyAble())) {
      await clock.sleep(LOOK_FOR_ROOM_EVERY, stop);
      if (clock.monotonic() - since < HESITATION) continue;
      if ((await this.#ask(source.isNeglected)) === true) return;
      since = clock.monotonic();
    }
  }

  async #isAnyAble(): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    if (now >= this.#lookForAbleAt) {
      this.#lookForAbleAt = now + LOOK_FOR_ABLE_EVERY;
      this.#anyAble = (await this.#ask(this.#options.source.isAnyAble)) ?? false;
    }
    return this.#anyAble;
  }

  async #wait(): Promise<void> {
    await this.#freeHands();
    if (!this.#options.stop.aborted) await this.#ask(this.#options.source.wait);
  }

  #work(batch: TakenBatch): void {
    this.#taken += 1;
    const settled = this.#options.settle(batch).finally(() => this.#inHand.delete(settled));
    this.#inHand.set(settled, this.#options.clock.monotonic());
  }

  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    const { clock, stop } = this.#options;
    if (this.#unanswered === 0) this.#owedSince = clock.monotonic();
    this.#unanswered += 1;
    try {
      const answer = await question();
      this.#recovered();
      return answer;
    } catch (error) {
      this.#refused(failureReason(error));
    } finally {
      this.#unanswered -= 1;
      this.#owedSince = clock.monotonic();
    }
    await clock.sleep(PAUSE_AFTER_REFUSAL, stop);
    return undefined;
  }

  #refused(because: string): void {
    if (this.#refusal === undefined) {
      this.#options.observe({ kind: "redis-trouble", connection: "worker", because });
    }
    this.#refusal = because;
  }

  #recovered(): void {
    if (this.#refusal === undefined) return;
    this.#refusal = undefined;
    this.#options.observe({ kind: "redis-recovered", connection: "worker" });
  }
}
