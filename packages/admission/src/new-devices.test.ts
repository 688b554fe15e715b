import { hours, minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type Budgets, chargeRefused, payForNewDevice, refundAccepted } from "./new-devices.ts";

/** The defaults. */
const limits = {
  perDomain: { perSecond: 10 / 60, burst: 600 },
  inAll: { perSecond: 40 / 60, burst: 1_200 },
  rememberFor: hours(24),
};

type Pool = "first" | "further";

/** Domains that publish to new devices only, and a push service that answers after a while. */
class Region {
  now = 0;
  #pools = { first: 0, further: 0 };
  readonly #domains = new Map<string, number>();
  readonly #outcomes: { readonly at: number; readonly settle: () => void }[] = [];
  paid = 0;

  #budgetsOf(domain: string): Budgets {
    return { domain: this.#domains.get(domain) ?? 0, ...this.#pools };
  }

  /** True if the publish is admitted. */
  publish(domain: string, isGood: boolean, answerAfter: number): boolean {
    const paid = payForNewDevice(this.#budgetsOf(domain), this.now, limits);
    if (paid === undefined) return false;
    this.paid += 1;
    this.#domains.set(domain, paid.budgets.domain);
    this.#pools = { first: paid.budgets.first, further: paid.budgets.further };
    this.#outcomes.push({
      at: this.now + answerAfter,
      settle: () => this.#settle(domain, isGood, paid.pool),
    });
    return true;
  }

  #settle(domain: string, isGood: boolean, pool: Pool): void {
    const fullAt = this.#domains.get(domain) ?? 0;
    if (!isGood) return void this.#domains.set(domain, chargeRefused(fullAt, this.now, limits.perDomain));
    this.#domains.set(domain, refundAccepted(fullAt, this.now, limits.perDomain, 1));
    this.#pools[pool] = refundAccepted(this.#pools[pool], this.now, limits.inAll, 1);
  }

  step(by: number): void {
    this.now += by;
    while ((this.#outcomes[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) this.#outcomes.shift()?.settle();
  }
}

/** Publishes of one domain, evenly over a time; how many were admitted. */
function publishing(
  region: Region,
  parts: {
    domain: (index: number) => string;
    perSecond: number;
    forMs: number;
    isGood: (index: number) => boolean;
    also?: () => void;
  },
): number {
  let admitted = 0;
  const count = (parts.perSecond * parts.forMs) / 1_000;
  for (let index = 0; index < count; index += 1) {
    if (region.publish(parts.domain(index), parts.isGood(index), 500)) admitted += 1;
    parts.also?.();
    region.step(1_000 / parts.perSecond);
  }
  return admitted;
}

describe("the budget for new devices", () => {
  it("is not noticed after an upgrade, when all devices are new and one in twenty is gone", () => {
    const region = new Region();
    const admitted = publishing(region, {
      domain: () => "big.example",
      perSecond: 500,
      forMs: minutes(10),
      isGood: (index) => index % 20 !== 0,
    });
    expect(admitted).toBe(300_000);
  });

  it("lets 500 to 700 made-up tokens of a domain through in ten minutes, however many it sends", () => {
    const region = new Region();
    const admitted = publishing(region, {
      domain: () => "evil.example",
      perSecond: 1_000,
      forMs: minutes(10),
      isGood: () => false,
    });
    expect(admitted).toBeGreaterThanOrEqual(500);
    expect(admitted).toBeLessThanOrEqual(700);
  });

  it("closes for a domain whose devices are made up: three an hour and minute less from then on", () => {
    const region = new Region();
    publishing(region, {
      domain: () => "evil.example",
      perSecond: 100,
      forMs: hours(2),
      isGood: () => false,
    });
    const before = region.paid;
    publishing(region, {
      domain: () => "evil.example",
      perSecond: 100,
      forMs: hours(1),
      isGood: () => false,
    });
    expect((region.paid - before) / 60).toBeLessThanOrEqual(10 / 3 + 0.5);
  });

  it("has room for 500 new devices of an honest domain at once while another one floods", () => {
    const region = new Region();
    publishing(region, {
      domain: () => "evil.example",
      perSecond: 1_000,
      forMs: seconds(10),
      isGood: () => false,
    });
    const admitted = Array.from({ length: 500 }, () => region.publish("new.example", true, 500));
    expect(admitted.filter(Boolean)).toHaveLength(500);
  });

  it("bounds what any number of domains may send, and leaves room for the few new devices of one with few", () => {
    const region = new Region();
    // A hundred domains are enough to use up what all may send beyond their first few.
    const evil = publishing(region, {
      domain: (index) => `${index % 50}.example`,
      perSecond: 1_000,
      forMs: minutes(10),
      isGood: () => false,
    });
    expect(evil).toBeLessThanOrEqual(2 * (1_200 + 10 * 40));
    expect(region.publish("village.example", true, 500)).toBe(true);
  });
});
