import { type Millis, millis } from "@reveille/wakeup";

interface Rest {
  readonly bytes: number;
  /** When it was first seen at this many bytes. */
  readonly since: Millis;
  /** The longest rest so far. */
  readonly longest: Millis;
}

/** What was longest counts less with each further rest: a single long one says little. */
const FADES = 0.9;

/** Of the longest rest. A wait for an answer is shorter; and what is left is for the sender to see that the stream is gone. */
const ENOUGH = 0.4;

/**
 * When connections rest, seen by looking at how many bytes each has passed. One that has rested for nearly half as long as it
 * usually does is between two stanzas: the answer to the last has come, the next is not written yet.
 */
export class Rests {
  readonly #rests = new Map<string, Rest>();

  /** Takes how things were between `asked` and `told`; true if the connection is between two stanzas. */
  look(
    id: string,
    bytes: number,
    { asked, told }: { readonly asked: Millis; readonly told: Millis },
  ): boolean {
    const before = this.#rests.get(id);
    if (before?.bytes !== bytes) {
      this.#rests.set(id, { bytes, since: told, longest: millis((before?.longest ?? 0) * FADES) });
      return false;
    }
    const lasts = millis(asked - before.since);
    const longest = millis(Math.max(before.longest, lasts));
    this.#rests.set(id, { ...before, longest });
    return lasts > 0 && lasts >= longest * ENOUGH;
  }
}
