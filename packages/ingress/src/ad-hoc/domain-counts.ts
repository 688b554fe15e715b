import {
  type Clock,
  type Counted,
  type CountedDomain,
  detached,
  type DomainRecord,
  type EpochMillis,
  epochMillis,
  hours,
  type SenderSoftware,
} from "@reveille/wakeup";

import { ResultCounts } from "./result-counts.ts";
import { DomainHour } from "./domain-hour.ts";

interface Entry {
  readonly domain: string;
  readonly hour: DomainHour;
  /** What the region has not been told of yet. */
  untold: ResultCounts | undefined;
  readonly since: EpochMillis;
  clearSoftware: SenderSoftware | undefined;
}

/** What the region has not been told of. */
export interface Untold {
  readonly domains: readonly CountedDomain[];
  /** Some domains were forgotten before anybody asked. */
  readonly isPartial: boolean;
}

/** A domain takes about a kilobyte. */
const MOST_DOMAINS = 4_096;

const HOUR = hours(1);

/**
 * What this process has counted of publishes in the last hour, by the sender's domain. Bounded: domains that have not
 * published for longest are forgotten first, by halves: those of `#new` and, unless used since, those of `#old`.
 */
export class DomainCounts {
  readonly #clock: Clock;
  readonly #half: number;
  readonly #began: EpochMillis;
  #new = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #isPartial = false;

  constructor(clock: Clock, most = MOST_DOMAINS) {
    this.#clock = clock;
    this.#half = Math.ceil(most / 2);
    this.#began = clock.now();
  }

  add(domain: string, what: Counted): void {
    const entry = this.#entryOf(domain);
    entry.hour.add(what, this.#clock.monotonic());
    entry.untold ??= new ResultCounts();
    entry.untold.add(what);
  }

  /** A publish of this domain had content in clear. */
  addClear(domain: string, software: SenderSoftware): void {
    this.add(domain, "in-clear");
    this.#entryOf(domain).clearSoftware = software;
  }

  of(domain: string): DomainRecord {
    const entry = this.#new.get(domain) ?? this.#old.get(domain);
    const now = this.#clock.monotonic();
    // Of an unknown domain nothing was forgotten unless the counts are more than half full.
    const began = entry?.since ?? (this.#old.size === 0 ? this.#began : this.#clock.now());
    return {
      count: (what) => entry?.hour.count(what, now) ?? 0,
      since: epochMillis(Math.max(began, this.#clock.now() - HOUR)),
      clearSoftware: entry?.clearSoftware,
    };
  }

  /** What was counted since this was asked last. Forgets what is older than an hour, also of domains that fell silent. */
  takeUntold(): Untold {
    const domains: CountedDomain[] = [];
    const now = this.#clock.monotonic();
    for (const entry of [...this.#new.values(), ...this.#old.values()]) {
      entry.hour.turnTo(now);
      if (entry.untold === undefined) continue;
      domains.push({ domain: entry.domain, counts: entry.untold.toMap() });
      entry.untold = undefined;
    }
    const isPartial = this.#isPartial;
    this.#isPartial = false;
    return { domains, isPartial };
  }

  #entryOf(domain: string): Entry {
    const known = this.#new.get(domain);
    if (known !== undefined) return known;
    const entry = this.#old.get(domain) ?? this.#newEntry(domain);
    this.#new.set(entry.domain, entry);
    if (this.#new.size >= this.#half) this.#forgetOld();
    return entry;
  }

  #forgetOld(): void {
    for (const [domain, { untold }] of this.#old) {
      if (untold !== undefined && !this.#new.has(domain)) this.#isPartial = true;
    }
    this.#old = this.#new;
    this.#new = new Map();
  }

  #newEntry(domain: string): Entry {
    const isFirst = this.#old.size === 0;
    return {
      domain: detached(domain),
      hour: new DomainHour(this.#clock.monotonic()),
      untold: undefined,
      since: isFirst ? this.#began : this.#clock.now(),
      clearSoftware: undefined,
    };
  }
}
