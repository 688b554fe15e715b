import { setTimeout as sleep } from "node:timers/promises";

import { aToken } from "@reveille/testkit";

import { Publisher, type Sent } from "../durability/publishing.ts";
import { type SenderKind } from "./machines.ts";
import { type Person, writeTo } from "./people.ts";
import { HOSTNAME, type Region } from "./region.ts";

/** Per sender and second; a message to one of its people comes to it, which makes 25. */
const RATE = 24;
/** One publish in five is for a device that many are for, so that trailing pushes are in play. */
const BUSY_EVERY = 5;
const BUSY_DEVICES = 4;

/** 25 publishes a second from each of the two senders, from now on. */
export class Load {
  readonly #publishers: Readonly<Record<SenderKind, Publisher>>;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(region: Region, people: readonly Person[]) {
    const target = (kind: SenderKind) => (index: number) => {
      if (this.#stop.signal.aborted) return undefined;
      const device = index % BUSY_EVERY === 0 ? `busy ${(index / BUSY_EVERY) % BUSY_DEVICES}` : `${index}`;
      return { token: aToken(`${kind} device ${device}`), to: HOSTNAME };
    };
    const publisher = (kind: SenderKind): Publisher =>
      new Publisher({ server: region.loads[kind], rate: RATE, target: target(kind) });
    this.#publishers = { prosody: publisher("prosody"), ejabberd: publisher("ejabberd") };
    this.#running = Promise.all([
      ...Object.values(this.#publishers).map(async (publisher) => publisher.run()),
      this.#write(region, people),
    ]);
  }

  /** Resolves when the last publish has left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Every publish so far that came without a user, and its reply. */
  journals(): Readonly<Record<SenderKind, readonly Sent[]>> {
    const { prosody, ejabberd } = this.#publishers;
    return { prosody: prosody.journal(), ejabberd: ejabberd.journal() };
  }

  journal(): readonly Sent[] {
    return Object.values(this.journals()).flat();
  }

  async #write(region: Region, people: readonly Person[]): Promise<void> {
    // Each person once in five seconds: a Prosody that finds a host gone ends the registrations of people it has had 16
    // publishes for in the half minute that it takes to find out.
    for (let turn = 0; !this.#stop.signal.aborted; turn += 1) {
      for (const own of Map.groupBy(people, ({ kind }) => kind).values()) {
        const person = own[turn % own.length];
        if (person !== undefined) writeTo(region, person);
      }
      await sleep(1_000);
    }
  }
}
