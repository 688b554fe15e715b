import { setTimeout as sleep } from "node:timers/promises";

import { aToken } from "@reveille/testkit";

import { Publisher, type Sent } from "../durability/publishing.ts";
import { type SenderKind } from "./machines.ts";
import { type Person, writeTo } from "./people.ts";
import { HOSTNAME, type Region } from "./region.ts";

/** Per sender and second; a message to each of five people comes to it, which makes 25. */
const RATE = 20;
/** One publish in five is for a device that many are for, so that trailing pushes are in play. */
const BUSY_EVERY = 5;
const BUSY_DEVICES = 4;

/** 25 publishes a second from each of the two senders, from now on. */
export class Load {
  readonly #publishers: readonly Publisher[];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(region: Region, people: readonly Person[]) {
    const target = (kind: SenderKind) => (index: number) => {
      if (this.#stop.signal.aborted) return undefined;
      const device = index % BUSY_EVERY === 0 ? `busy ${(index / BUSY_EVERY) % BUSY_DEVICES}` : `${index}`;
      return { token: aToken(`${kind} device ${device}`), to: HOSTNAME };
    };
    this.#publishers = (["prosody", "ejabberd"] as const).map(
      (kind) => new Publisher({ server: region.loads[kind], rate: RATE, target: target(kind) }),
    );
    this.#running = Promise.all([
      ...this.#publishers.map(async (publisher) => publisher.run()),
      this.#write(region, people),
    ]);
  }

  /** Resolves when the last publish has left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Every publish so far that came without a user, and its reply. */
  journal(): readonly Sent[] {
    return this.#publishers.flatMap((publisher) => publisher.journal());
  }

  async #write(region: Region, people: readonly Person[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const person of people) writeTo(region, person);
      await sleep(1_000);
    }
  }
}
