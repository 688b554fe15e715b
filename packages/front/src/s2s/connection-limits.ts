import { isIPv6 } from "node:net";

export interface ConnectionLimits {
  /** Connections in all. */
  readonly connections: number;
  /** Connections that have proven no domain yet: in all, and of one address. */
  readonly unproven: number;
  readonly unprovenOfAddress: number;
  /** Connections of one address, or one /64 network of IPv6. */
  readonly ofAddress: number;
}

/** Why a connection was not accepted. */
export type RefusedBy = keyof ConnectionLimits;

/** A connection that counts; both calls may be repeated. */
export interface Admitted {
  readonly prove: () => void;
  readonly leave: () => void;
}

/** Counts connections, so that one address cannot take the places of all others. */
export class ConnectionCounter {
  readonly #limits: ConnectionLimits;
  readonly #all = new Map<string, number>();
  readonly #unproven = new Map<string, number>();
  #connections = 0;
  #unprovenInAll = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get connections(): number {
    return this.#connections;
  }

  get unproven(): number {
    return this.#unprovenInAll;
  }

  /** Takes a connection in, or says which limit it would exceed. */
  admit(address: string): Admitted | RefusedBy {
    const source = sourceOf(address);
    const refusal = this.#refusalOf(source);
    if (refusal !== undefined) return refusal;
    this.#connections += 1;
    this.#unprovenInAll += 1;
    add(this.#all, source, 1);
    add(this.#unproven, source, 1);
    let [isProven, isGone] = [false, false];
    const prove = (): void => {
      if (isProven) return;
      isProven = true;
      this.#unprovenInAll -= 1;
      add(this.#unproven, source, -1);
    };
    const leave = (): void => {
      if (isGone) return;
      isGone = true;
      prove();
      this.#connections -= 1;
      add(this.#all, source, -1);
    };
    return { prove, leave };
  }

  #refusalOf(source: string): RefusedBy | undefined {
    const limits = this.#limits;
    if ((this.#unproven.get(source) ?? 0) >= limits.unprovenOfAddress) return "unprovenOfAddress";
    if ((this.#all.get(source) ?? 0) >= limits.ofAddress) return "ofAddress";
    if (this.#unprovenInAll >= limits.unproven) return "unproven";
    return this.#connections >= limits.connections ? "connections" : undefined;
  }
}

function add(counts: Map<string, number>, source: string, by: number): void {
  const count = (counts.get(source) ?? 0) + by;
  if (count > 0) counts.set(source, count);
  else counts.delete(source);
}

/** Whoever has one address of an IPv6 network of 64 bits has all of them. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}
