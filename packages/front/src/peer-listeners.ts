import { type Socket } from "node:net";

import { listen, type ListenAddress, type Listener } from "./listen.ts";

/** Where peers connect: with STARTTLS, and with direct TLS. */
export interface PeerAddresses {
  readonly starttls: readonly ListenAddress[];
  readonly direct: readonly ListenAddress[];
}

export type OnPeer = (socket: Socket, kind: keyof PeerAddresses) => void;

/** The listeners for peers, which are there while the front accepts streams. */
export class PeerListeners {
  readonly #onPeer: OnPeer;
  /** With the ports that were had the first time, where any would do. */
  #addresses: PeerAddresses;
  #listeners: Listener[] = [];

  constructor(addresses: PeerAddresses, onPeer: OnPeer) {
    this.#addresses = addresses;
    this.#onPeer = onPeer;
  }

  get addresses(): PeerAddresses {
    return this.#addresses;
  }

  get isOpen(): boolean {
    return this.#listeners.length > 0;
  }

  /** Rejects, with nothing open, if an address cannot be had. */
  async open(): Promise<void> {
    if (this.isOpen) return;
    try {
      const starttls = await this.#listenAt("starttls");
      const direct = await this.#listenAt("direct");
      this.#addresses = { starttls, direct };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** New connections are refused by the kernel from now on, so that senders try the next host. */
  close(): void {
    for (const listener of this.#listeners) listener.stop();
    this.#listeners = [];
  }

  async #listenAt(kind: keyof PeerAddresses): Promise<readonly ListenAddress[]> {
    const addresses: ListenAddress[] = [];
    for (const address of this.#addresses[kind]) {
      const listener = await listen(address, (socket) => this.#onPeer(socket, kind));
      this.#listeners.push(listener);
      addresses.push(listener.address);
    }
    return addresses;
  }
}
