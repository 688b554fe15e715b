import { type Millis, millis } from "@reveille/wakeup";

interface Stream {
  readonly bytes: number;
  /** When it was first seen at this many bytes. */
  readonly since: Millis;
  /** How long it has rested since then. */
  readonly lasts: Millis;
  /** Its last rests before that, the oldest first. */
  readonly rests: readonly Millis[];
}

const REMEMBERED = 20;

/**
 * Parts of a usual rest. Earlier the answer to a publish may not have come, later the next publish may be on its way before
 * the sender sees that the stream is gone.
 */
const [EARLIEST, LATEST] = [0.4, 0.7];
/** A rest of so many usual ones is of another kind. */
const UNUSUAL = 2;

/**
 * When streams rest, seen by looking at how many bytes each has passed. One that has rested for about half as long as it
 * usually does is between two stanzas: the answer to the last has come, the next is not written yet.
 */
export class Rests {
  readonly #streams = new Map<string, Stream>();

  /** Takes how things were between `asked` and `told`; true if the stream is between two stanzas. */
  look(
    id: string,
    bytes: number,
    { asked, told }: { readonly asked: Millis; readonly told: Millis },
  ): boolean {
    const before = this.#streams.get(id);
    if (before?.bytes !== bytes) {
      this.#streams.set(id, { bytes, since: told, lasts: millis(0), rests: restsAfter(before) });
      return false;
    }
    const lasts = millis(Math.max(0, asked - before.since));
    this.#streams.set(id, { ...before, lasts });
    const usual = usualOf(before.rests);
    if (usual === undefined) return lasts > 0;
    const atMost = told - before.since;
    return (lasts >= usual * EARLIEST && atMost <= usual * LATEST) || lasts >= usual * UNUSUAL;
  }
}

const restsAfter = (before: Stream | undefined): readonly Millis[] =>
  before === undefined || before.lasts === 0
    ? (before?.rests ?? [])
    : [...before.rests, before.lasts].slice(-REMEMBERED);

/** Short ones are waits for an answer, the longest are exceptions: the upper quartile is neither. */
function usualOf(rests: readonly Millis[]): Millis | undefined {
  return rests.toSorted((one, other) => one - other)[Math.floor(rests.length * 0.75)];
}
