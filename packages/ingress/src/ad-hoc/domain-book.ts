import {
  type Clock,
  detached,
  type EpochMillis,
  epochMillis,
  hours,
  type SenderSoftware,
} from "@reveille/wakeup";

import { type Counted, DomainHour } from "./domain-hour.ts";

/** What this process has seen of one domain. */
export interface DomainRecord {
  /** Publishes of the last hour. */
  readonly count: (what: Counted) => number;
  /** Counts begin here: an hour ago, or when we began to look. */
  readonly since: EpochMillis;
  /** Who sent content in clear last, by the shape of its ids. */
  readonly clearSoftware: SenderSoftware | undefined;
}

interface Entry {
  readonly domain: string;
  readonly hour: DomainHour;
  readonly since: EpochMillis;
  clearSoftware: SenderSoftware | undefined;
}

/** A domain takes about a kilobyte. */
const MOST_DOMAINS = 4_096;

const HOUR = hours(1);

/**
 * Counts publishes per sender's domain for an hour, in memory only. Bounded: domains that have not published for longest
 * are forgotten first, by halves: those of `#new` and, unless used since, those of `#old`.
 */
export class DomainBook {
  readonly #clock: Clock;
  readonly #half: number;
  readonly #began: EpochMillis;
  #new = new Map<string, Entry>();
  #old = new Map<string, Entry>();

  constructor(clock: Clock, most = MOST_DOMAINS) {
    this.#clock = clock;
    this.#half = Math.ceil(most / 2);
    this.#began = clock.now();
  }

  add(domain: string, what: Counted): void {
    this.#entryOf(domain).hour.add(what, this.#clock.monotonic());
  }

  /** A publish of this domain had content in clear. */
  addClear(domain: string, software: SenderSoftware): void {
    this.add(domain, "in-clear");
    this.#entryOf(domain).clearSoftware = software;
  }

  of(domain: string): DomainRecord {
    const entry = this.#new.get(domain) ?? this.#old.get(domain);
    const now = this.#clock.monotonic();
    // Of an unknown domain nothing was forgotten unless the book is more than half full.
    const began = entry?.since ?? (this.#old.size === 0 ? this.#began : this.#clock.now());
    return {
      count: (what) => entry?.hour.count(what, now) ?? 0,
      since: epochMillis(Math.max(began, this.#clock.now() - HOUR)),
      clearSoftware: entry?.clearSoftware,
    };
  }

  #entryOf(domain: string): Entry {
    const known = this.#new.get(domain);
    if (known !== undefined) return known;
    const entry = this.#old.get(domain) ?? this.#newEntry(domain);
    this.#new.set(entry.domain, entry);
    if (this.#new.size >= this.#half) {
      this.#old = this.#new;
      this.#new = new Map();
    }
    return entry;
  }

  #newEntry(domain: string): Entry {
    const isFirst = this.#old.size === 0;
    return {
      domain: detached(domain),
      hour: new DomainHour(this.#clock.monotonic()),
      since: isFirst ? this.#began : this.#clock.now(),
      clearSoftware: undefined,
    };
  }
}
