import { type Millis, type Outcome, type Wakeup } from "@reveille/wakeup";

import { type Permit } from "../breaker.ts";

/** What many pushes have in common; the same object for as many as can be. */
export interface Form {
  /** Header names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** A push as the pool takes it. */
export interface Push {
  /** Secret: whose it is. */
  readonly device: string;
  readonly path: string;
  readonly form: Form;
  /** Names and values in turn. */
  readonly ownHeaders: readonly string[];
  /** The wakeup's own, for our records and theirs. */
  readonly id: string;
  /** Called exactly once. */
  readonly settle: (outcome: Outcome) => void;
}

/** Makes the pushes of a module. */
export interface Composer {
  readonly for: (wakeup: Wakeup) => Omit<Push, "settle">;
  /** One that cannot arrive, and whose answer shows all the same whether the module is accepted. */
  readonly forNobody: () => Omit<Push, "settle">;
}

/** A push on its way through the pool. */
export interface Passage {
  readonly push: Push;
  readonly permit: Permit;
  waitingSince: Millis;
  /** Its device was refused for connections that served others: its refusals say nothing of this one. */
  readonly blamed: boolean;
  /** How often it was repeated, each time provably unprocessed. */
  repeats: number;
  /** The connection that did not process it. */
  triedOn: number | undefined;
}

/** Pushes that wait for a connection: repeats first, then in the order of their arrival. */
export class WaitingLine {
  readonly #repeated = new Set<Passage>();
  readonly #fresh = new Set<Passage>();

  get size(): number {
    return this.#repeated.size + this.#fresh.size;
  }

  add(passage: Passage): void {
    (passage.repeats > 0 ? this.#repeated : this.#fresh).add(passage);
  }

  first(): Passage | undefined {
    for (const passage of this.#repeated) return passage;
    for (const passage of this.#fresh) return passage;
    return undefined;
  }

  remove(passage: Passage): void {
    if (!this.#repeated.delete(passage)) this.#fresh.delete(passage);
  }

  /** Takes out those that have been waiting since `time` or longer. */
  takeSince(time: number): Passage[] {
    const taken: Passage[] = [];
    for (const line of [this.#repeated, this.#fresh]) {
      for (const passage of line) {
        if (passage.waitingSince > time) break;
        line.delete(passage);
        taken.push(passage);
      }
    }
    return taken;
  }
}
