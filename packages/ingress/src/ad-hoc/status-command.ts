import { type Clock, type Observe } from "@reveille/wakeup";

import { type Answer } from "../answer.ts";
import { type RegionCountsPort, type SenderLimit } from "../ports.ts";
import { senderOf } from "../sender.ts";
import { DomainCounts } from "./domain-counts.ts";
import { CountSync } from "./count-sync.ts";
import { type ServiceState, statusForm, type Told } from "./status-form.ts";

export interface StatusCommandOptions {
  readonly clock: Clock;
  readonly service: () => ServiceState;
  readonly limitOf: (domain: string) => SenderLimit;
  /** Without one, a domain hears what this process has counted. */
  readonly regionCounts: RegionCountsPort | undefined;
}

/**
 * Tells each domain about itself and about no other: the address a question comes from says which. Disposing lets the
 * region know what was counted here.
 */
export class StatusCommand implements AsyncDisposable {
  readonly #options: StatusCommandOptions;
  readonly #counts: DomainCounts;
  readonly #sync: CountSync | undefined;

  constructor(options: StatusCommandOptions) {
    const { clock, regionCounts } = options;
    this.#options = options;
    const counts = new DomainCounts(clock);
    this.#counts = counts;
    this.#sync = regionCounts && new CountSync({ counts, regionCounts, clock });
  }

  /** Gives the reply as `answer` does, and counts it. */
  counting(answer: Answer): Answer {
    return (to, result) => {
      this.#counts.add(senderOf(to.address.from).domain, result);
      answer(to, result);
    };
  }

  /** A ping to this domain has come back, or could not be delivered. */
  addProbe(domain: string, isReached: boolean): void {
    this.#counts.add(domain, isReached ? "reached" : "unreached");
  }

  /** Tells `observe` everything, and notes which domains send content in clear. */
  watching(observe: Observe): Observe {
    return (event) => {
      if (event.kind === "clear-content-seen") this.#counts.addClear(event.domain, event.software);
      observe(event);
    };
  }

  /** The form for whoever asks from the address `from`: any address of a domain hears of that domain. Never rejects. */
  async formFor(from: string): Promise<string> {
    const { domain } = senderOf(from);
    const told = await this.#toldOf(domain);
    const { record } = told;
    return statusForm({
      service: this.#options.service(),
      domain,
      ...told,
      limit: limitText(this.#options.limitOf(domain), record.count("over-limit") > 0),
      exact: !from.slice(0, from.indexOf("/") >>> 0).includes("@"),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sync?.[Symbol.asyncDispose]();
  }

  async #toldOf(domain: string): Promise<Told> {
    const ofRegion = (await this.#sync?.of(domain)) ?? "out-of-reach";
    const own = this.#counts.of(domain);
    if (typeof ofRegion === "string") return { record: own, by: ofRegion };
    const clearSoftware = ofRegion.clearSoftware ?? own.clearSoftware;
    return { record: { ...ofRegion, clearSoftware }, by: "region" };
  }
}

function limitText(limit: SenderLimit, isExceeded: boolean): string {
  if (limit === "blocked") return "blocked by the operator of this service";
  if (limit === undefined) return "none";
  const { perSecond, burst } = limit;
  const rate =
    perSecond < 1 ? `${rounded(perSecond * 60)} publishes a minute` : `${rounded(perSecond)} a second`;
  return `${rate}, ${burst} at once; ${isExceeded ? "exceeded" : "not exceeded"} in the last hour`;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
