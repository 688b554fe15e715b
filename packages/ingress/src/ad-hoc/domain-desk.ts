import { type Clock, type Observe } from "@reveille/wakeup";

import { type Answer } from "../answer.ts";
import { type RegionBookPort, type SenderLimit } from "../ports.ts";
import { senderOf } from "../sender.ts";
import { DomainBook } from "./domain-book.ts";
import { DomainClerk } from "./domain-clerk.ts";
import { type ServiceState, statusForm, type Told } from "./status-form.ts";

export interface DomainDeskOptions {
  readonly clock: Clock;
  readonly service: () => ServiceState;
  readonly limitOf: (domain: string) => SenderLimit;
  /** Without one, a domain hears what this process has counted. */
  readonly regionBook: RegionBookPort | undefined;
}

/**
 * Tells each domain about itself and about no other: the address a question comes from says which. Disposing lets the
 * region know what was counted here.
 */
export class DomainDesk implements AsyncDisposable {
  readonly #options: DomainDeskOptions;
  readonly #book: DomainBook;
  readonly #clerk: DomainClerk | undefined;

  constructor(options: DomainDeskOptions) {
    const { clock, regionBook } = options;
    this.#options = options;
    const book = new DomainBook(clock);
    this.#book = book;
    this.#clerk = regionBook && new DomainClerk({ book, regionBook, clock });
  }

  /** Gives the reply as `answer` does, and counts it. */
  counting(answer: Answer): Answer {
    return (to, result) => {
      this.#book.add(senderOf(to.address.from).domain, result);
      answer(to, result);
    };
  }

  /** A ping to this domain has come back, or could not be delivered. */
  addProbe(domain: string, isReached: boolean): void {
    this.#book.add(domain, isReached ? "reached" : "unreached");
  }

  /** Tells `observe` everything, and notes which domains send content in clear. */
  watching(observe: Observe): Observe {
    return (event) => {
      if (event.kind === "clear-content-seen") this.#book.addClear(event.domain, event.software);
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
    await this.#clerk?.[Symbol.asyncDispose]();
  }

  async #toldOf(domain: string): Promise<Told> {
    const ofRegion = (await this.#clerk?.of(domain)) ?? "out-of-reach";
    const own = this.#book.of(domain);
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
