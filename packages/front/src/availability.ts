import { type Clock, seconds } from "@reveille/wakeup";

import { type PeerListeners } from "./peer-listeners.ts";

/** Whether this host, and any other of the region, would take a publish to its push service now. */
export interface HostStates {
  readonly isOwnReady: () => Promise<boolean>;
  readonly isAnotherReady: () => Promise<boolean>;
}

export interface AvailabilityPorts {
  readonly clock: Clock;
  readonly listeners: PeerListeners;
  /** Without it, streams are accepted until the front is drained. */
  readonly hosts: HostStates | undefined;
  /** Closes all streams of peers in form; they come again where somebody listens. */
  readonly closeStreams: () => void;
  readonly onChanged: (state: "listening" | "stopped", because?: string) => void;
}

/** What became of a drain. */
export type DrainAnswer =
  | { readonly kind: "drained" }
  /** No other host is ready, so senders would be refused: they may drop registrations then. */
  | { readonly kind: "refused"; readonly because: string };

const LOOK_EVERY = seconds(1);

/**
 * Accepts streams while the host is ready, and while no host is: a publish is better answered with `wait` than refused. A
 * host that is not ready while another one is accepts none and closes those it has; senders' servers go to the next SRV
 * target by themselves.
 */
export class Availability {
  readonly #ports: AvailabilityPorts;
  #isDrained = false;

  constructor(ports: AvailabilityPorts) {
    this.#ports = ports;
  }

  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** Follows the hosts' states until told to stop. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, hosts } = this.#ports;
    if (hosts === undefined) return;
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY, signal);
      if (!signal.aborted) await this.#look(hosts);
    }
  }

  /** Rejects if an address cannot be had. */
  async start(): Promise<void> {
    const { listeners, onChanged } = this.#ports;
    await listeners.open();
    onChanged("listening");
  }

  /** Why a drain would harm, or `undefined`. */
  async objection(): Promise<string | undefined> {
    const { hosts } = this.#ports;
    if (hosts === undefined || (await hosts.isAnotherReady())) return undefined;
    return "no other host of front.hosts is ready: users' servers would be refused, and some drop registrations then";
  }

  /** Accepts nothing until it is undone. */
  drain(): void {
    this.#isDrained = true;
    this.#stop("drained");
  }

  async undoDrain(): Promise<void> {
    this.#isDrained = false;
    await this.#listen();
  }

  async #look({ isOwnReady, isAnotherReady }: HostStates): Promise<void> {
    const isMoving = !(await isOwnReady()) && (await isAnotherReady());
    if (this.#isDrained) return;
    if (isMoving) this.#stop("this host is not ready, and another one is");
    // An address that somebody else has taken meanwhile is tried again at the next look.
    else await this.#listen().catch(() => undefined);
  }

  async #listen(): Promise<void> {
    if (!this.#ports.listeners.isOpen) await this.start();
  }

  #stop(because: string): void {
    const { listeners, closeStreams, onChanged } = this.#ports;
    if (!listeners.isOpen) return;
    listeners.close();
    onChanged("stopped", because);
    closeStreams();
  }
}
