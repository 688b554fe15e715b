import {
  type Clock,
  type CountedBatch,
  type DomainRecord,
  hours,
  millis,
  minutes,
  seconds,
} from "@reveille/wakeup";

import { type RegionCountsPort } from "../ports.ts";
import { type DomainCounts } from "./domain-counts.ts";

export interface CountSyncOptions {
  /** Of this process. */
  readonly counts: DomainCounts;
  readonly regionCounts: RegionCountsPort;
  readonly clock: Clock;
}

/** How far the region's counts may be behind those of a process. */
const WRITE_EVERY = seconds(10);
/** A question about a domain is answered from this process' counts if the region's are not read in time. */
const TELL_WITHIN = seconds(1);
/** Most who ask at a time; more hear what this process knows. */
const MOST_ASKING = 64;
/** Bounds how long one batch keeps Redis from others: 128 took 2.2 ms on a busy machine. */
const MOST_PER_BATCH = 32;
/** While Redis is away, counts of a longer time go together. */
const SPAN = minutes(5);
/** What is older is no longer asked for. */
const HOUR = hours(1);

type Pending = Pick<CountedBatch, "number" | "domains" | "isPartial"> & {
  /** By the monotonic clock. */
  readonly begunAt: number;
  readonly endedAt: number;
};

/** Adds what this process has counted to the region's counts, and reads those. Disposing writes the rest. */
export class CountSync implements AsyncDisposable {
  readonly #options: CountSyncOptions;
  readonly #stop = new AbortController();
  readonly #writingOn: Promise<void>;
  #pending: Pending[] = [];
  #number = 0;
  #takenAt: number;
  #writing: Promise<void> | undefined;
  #asking = 0;

  constructor(options: CountSyncOptions) {
    this.#options = options;
    this.#takenAt = options.clock.monotonic();
    this.#writingOn = this.#writeOn();
  }

  /** What the region has counted, of this process all. Waits a second at most and never throws. */
  async of(domain: string): Promise<DomainRecord | "no-room" | "out-of-reach"> {
    if (this.#asking >= MOST_ASKING) return "out-of-reach";
    this.#asking += 1;
    try {
      return await this.#inTime(this.#read(domain));
    } finally {
      this.#asking -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#writingOn;
    await this.#inTime(this.#write());
  }

  async #read(domain: string): Promise<DomainRecord | "no-room"> {
    // A write that is under way may have begun before the publishes that are asked about.
    await this.#writing;
    await this.#write();
    return this.#options.regionCounts.of(domain);
  }

  async #writeOn(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      await clock.sleep(WRITE_EVERY, this.#stop.signal);
      // Whoever owns the connection tells of its troubles; what could not be written stays.
      await this.#write().catch(() => undefined);
    }
  }

  /** One at a time, so that no batch overtakes another. */
  async #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => void (this.#writing = undefined));
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { clock, regionCounts } = this.#options;
    let isAll = false;
    while (!isAll) {
      // Not all if batches were left from times of trouble.
      isAll = this.#take();
      for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
        const { begunAt, endedAt, ...batch } = next;
        const now = clock.monotonic();
        await regionCounts.add({ ...batch, begun: millis(now - begunAt), ended: millis(now - endedAt) });
        this.#pending.shift();
      }
    }
  }

  /** Makes batches of what was counted since the last time; whether it did. */
  #take(): boolean {
    const endedAt = this.#options.clock.monotonic();
    this.#pending = this.#pending.filter((batch) => endedAt - batch.endedAt < HOUR);
    if (this.#pending.length > 0 && endedAt - this.#takenAt < SPAN) return false;
    const { domains, isPartial } = this.#options.counts.takeUntold();
    const begunAt = this.#takenAt;
    this.#takenAt = endedAt;
    for (let from = 0; from < domains.length; from += MOST_PER_BATCH) {
      const some = domains.slice(from, from + MOST_PER_BATCH);
      this.#number += 1;
      this.#pending.push({
        number: this.#number,
        domains: some,
        isPartial: isPartial && from === 0,
        begunAt,
        endedAt,
      });
    }
    return true;
  }

  async #inTime<T>(work: Promise<T>): Promise<T | "out-of-reach"> {
    const done = new AbortController();
    const late = this.#options.clock
      .sleep(TELL_WITHIN, done.signal)
      .then((): "out-of-reach" => "out-of-reach");
    try {
      return await Promise.race([work.catch((): "out-of-reach" => "out-of-reach"), late]);
    } finally {
      done.abort();
    }
  }
}
