import { type Clock, type Observe } from "@reveille/wakeup";

import { type Answer } from "../answer.ts";
import { type SenderLimit } from "../ports.ts";
import { senderOf } from "../sender.ts";
import { DomainBook } from "./domain-book.ts";
import { type ServiceState, statusForm } from "./status-form.ts";

export interface DomainDeskOptions {
  readonly clock: Clock;
  readonly service: () => ServiceState;
  readonly limitOf: (domain: string) => SenderLimit;
}

/** Tells each domain about itself and about no other: the address a question comes from says which. */
export class DomainDesk {
  readonly #options: DomainDeskOptions;
  readonly #book: DomainBook;

  constructor(options: DomainDeskOptions) {
    this.#options = options;
    this.#book = new DomainBook(options.clock);
  }

  /** Gives the reply as `answer` does, and counts it. */
  counting(answer: Answer): Answer {
    return (to, result) => {
      this.#book.add(senderOf(to.address.from).domain, result);
      answer(to, result);
    };
  }

  /** Tells `observe` everything, and notes which domains send content in clear. */
  watching(observe: Observe): Observe {
    return (event) => {
      if (event.kind === "clear-content-seen") this.#book.addClear(event.domain, event.software);
      observe(event);
    };
  }

  /** The form for whoever asks from the address `from`: any address of a domain hears of that domain. */
  formFor(from: string): string {
    const { domain } = senderOf(from);
    const record = this.#book.of(domain);
    return statusForm({
      service: this.#options.service(),
      domain,
      record,
      limit: limitText(this.#options.limitOf(domain), record.count("over-limit") > 0),
      exact: !from.slice(0, from.indexOf("/") >>> 0).includes("@"),
    });
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
