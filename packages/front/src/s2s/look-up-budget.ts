import { networkOf } from "./network-of.ts";

export interface LookUpLimits {
  /** Dialback look-ups under way: in all, and asked for by one address (one /56 network of IPv6). */
  readonly lookUps: number;
  readonly lookUpsOfAddress: number;
}

/**
 * Who may have how many dialback look-ups under way. A look-up may take 20 s of a server that does not answer, and whoever
 * claims a domain chooses that server.
 */
export class LookUpBudget {
  readonly #limits: LookUpLimits;
  readonly #sources = new Map<string, number>();
  #inAll = 0;

  constructor(limits: LookUpLimits) {
    this.#limits = limits;
  }

  get inAll(): number {
    return this.#inAll;
  }

  /** A function that gives the look-up back, once; or the limit that it would exceed. */
  take(address: string): (() => void) | keyof LookUpLimits {
    const source = networkOf(address);
    const count = this.#sources.get(source) ?? 0;
    if (count >= this.#limits.lookUpsOfAddress) return "lookUpsOfAddress";
    if (this.#inAll >= this.#limits.lookUps) return "lookUps";
    this.#inAll += 1;
    this.#sources.set(source, count + 1);
    return () => {
      this.#inAll -= 1;
      const left = (this.#sources.get(source) ?? 0) - 1;
      if (left > 0) this.#sources.set(source, left);
      else this.#sources.delete(source);
    };
  }
}
