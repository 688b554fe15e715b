/** What a client meets that connects. */
export type ConnectFault =
  /** TCP RST at once. */
  | { readonly kind: "reset" }
  /** TCP is accepted, the TLS handshake never answered. */
  | { readonly kind: "no-tls" }
  /** The TLS handshake is answered so many milliseconds late. */
  | { readonly kind: "slow-tls"; readonly ms: number }
  /** TLS works, then nothing: not even SETTINGS. */
  | { readonly kind: "no-settings" }
  /** TLS works, then the connection is closed. */
  | { readonly kind: "close" };

/** Faults for connections to come. */
export interface ConnectFaults {
  /** For the next `times` connections, for all if left out; after those added before. */
  readonly add: (fault: ConnectFault, times?: number) => void;
  readonly clear: () => void;
}

/** The faults as the listener takes them. */
export class ConnectFaultQueue implements ConnectFaults {
  #waiting: { readonly fault: ConnectFault; left: number }[] = [];

  readonly add = (fault: ConnectFault, times = Number.POSITIVE_INFINITY): void => {
    this.#waiting.push({ fault, left: times });
  };

  readonly clear = (): void => {
    this.#waiting = [];
  };

  /** The fault for a connection that has just come. */
  take(): ConnectFault | undefined {
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    const [next] = this.#waiting;
    if (next === undefined) return undefined;
    next.left -= 1;
    return next.fault;
  }
}
