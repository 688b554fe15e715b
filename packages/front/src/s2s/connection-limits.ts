import { networkOf } from "./network-of.ts";

export interface ConnectionLimits {
  /** Connections in all. */
  readonly connections: number;
  /** Connections that have proven no domain yet: in all, and of one address. */
  readonly unproven: number;
  readonly unprovenOfAddress: number;
  /** Connections of one address, or one /56 network of IPv6. */
  readonly connectionsOfAddress: number;
}

/** Why a connection was not accepted, or was given up. */
export type RefusedBy = keyof ConnectionLimits;

/** A connection that counts; both calls may be repeated. */
export interface Admitted {
  readonly prove: () => void;
  readonly leave: () => void;
}

export interface ConnectionCounterOptions extends ConnectionLimits {
  /** A limit was reached; told for connections that are given up for a new one. A refusal is the result of `admit`. */
  readonly onEvicted: () => void;
}

interface Unproven {
  readonly admitted: Admitted;
  readonly evict: () => void;
}

/**
 * Counts connections, so that one address cannot take the places of all others. When connections without a proven domain
 * have all their places, a new one gets that of the oldest of the address that has most of them: a server that proves
 * itself in a second is not kept out by many addresses that never do.
 */
export class ConnectionCounter {
  readonly #options: ConnectionCounterOptions;
  readonly #all = new Map<string, number>();
  /** Oldest first. */
  readonly #unproven = new Map<string, Set<Unproven>>();
  #connections = 0;
  #unprovenInAll = 0;

  constructor(options: ConnectionCounterOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections;
  }

  get unproven(): number {
    return this.#unprovenInAll;
  }

  /** Takes a connection in, or says which limit it would exceed. `evict` ends it in favour of another one. */
  admit(address: string, evict: () => void): Admitted | RefusedBy {
    const source = networkOf(address);
    const refusal = this.#refusalOf(source);
    if (refusal !== undefined) return refusal;
    if (this.#unprovenInAll >= this.#options.unproven) this.#evictOne();
    return this.#take(source, evict);
  }

  #take(source: string, evict: () => void): Admitted {
    this.#connections += 1;
    this.#unprovenInAll += 1;
    this.#all.set(source, (this.#all.get(source) ?? 0) + 1);
    const unproven = this.#unproven.get(source) ?? new Set();
    this.#unproven.set(source, unproven);
    let isGone = false;
    const prove = (): void => {
      if (!unproven.delete(entry)) return;
      this.#unprovenInAll -= 1;
      if (unproven.size === 0 && this.#unproven.get(source) === unproven) this.#unproven.delete(source);
    };
    const leave = (): void => {
      if (isGone) return;
      isGone = true;
      prove();
      this.#connections -= 1;
      const left = (this.#all.get(source) ?? 0) - 1;
      if (left > 0) this.#all.set(source, left);
      else this.#all.delete(source);
    };
    const entry = { admitted: { prove, leave }, evict };
    unproven.add(entry);
    return entry.admitted;
  }

  #evictOne(): void {
    let most: Set<Unproven> | undefined;
    for (const unproven of this.#unproven.values())
      if (most === undefined || unproven.size > most.size) most = unproven;
    for (const { admitted, evict } of most ?? []) {
      admitted.leave();
      evict();
      return this.#options.onEvicted();
    }
  }

  #refusalOf(source: string): RefusedBy | undefined {
    const limits = this.#options;
    if ((this.#unproven.get(source)?.size ?? 0) >= limits.unprovenOfAddress) return "unprovenOfAddress";
    if ((this.#all.get(source) ?? 0) >= limits.connectionsOfAddress) return "connectionsOfAddress";
    return this.#connections >= limits.connections ? "connections" : undefined;
  }
}
