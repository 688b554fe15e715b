import { hash, randomBytes } from "node:crypto";

import { type Clock, type Millis, minutes, type PushModule } from "@reveille/wakeup";

/** Whose devices are counted: those of one module, of one domain (as it counts for limits). */
export interface Scope {
  /** `undefined`: modules that were never configured, together. */
  readonly module: PushModule | undefined;
  readonly domain: string;
}

/** Distinct devices: all that published, and those whose registration a reply of ours ended or would have ended. */
export interface Devices {
  readonly ended: number;
  readonly all: number;
}

export interface Counted {
  readonly ofDomain: Devices;
  /** Of the module, over all domains; each counts for so many devices at most, by its own share of ended ones. */
  readonly ofModule: Devices;
}

interface Cell {
  ended: number;
  all: number;
}

interface Term {
  began: Millis;
  /** A device sets a bit; 2 million of them, of which 100,000 devices take a twentieth. */
  readonly bits: Uint8Array<ArrayBuffer>;
  readonly domains: Map<string, Cell>;
  readonly modules: Map<string, Cell>;
}

const TERM = minutes(5);
const BYTES = 2 ** 18;
const NONE: Devices = { ended: 0, all: 0 };

/**
 * Counts devices for the registration guard over the last five to ten minutes, in bounded memory whatever strangers invent: 1 MB,
 * and at most so many pairs of module and domain; pairs beyond count as one for each module.
 */
export class DeviceCounts {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #mostOfDomain: number;
  readonly #mostPairs: number;
  readonly #salt = randomBytes(16).toString("base64url");
  #now: Term;
  #before: Term;

  constructor(clock: Pick<Clock, "monotonic">, mostOfDomain: number, mostPairs = 8_192) {
    this.#clock = clock;
    this.#mostOfDomain = mostOfDomain;
    this.#mostPairs = mostPairs;
    this.#now = newTerm(clock.monotonic());
    this.#before = newTerm(clock.monotonic());
  }

  /** Pairs of module and domain that are told apart now. */
  get pairs(): number {
    return this.#now.domains.size;
  }

  /** Ends the term if it is over; true if it did. */
  turn(): boolean {
    const now = this.#clock.monotonic();
    const age = now - this.#now.began;
    if (age < TERM) return false;
    const { bits } = this.#before;
    this.#before = age < 2 * TERM ? this.#now : newTerm(now);
    this.#now = newTerm(now, bits.fill(0));
    return true;
  }

  /** The device counts once a term, and once more when its registration ends. */
  add(scope: Scope, device: string, isEnded: boolean): void {
    const cell = this.#cellOf(scope);
    const module = cellIn(this.#now.modules, scope.module ?? "");
    const before = this.#weighed(cell);
    const [first, second] = this.#hashesOf(scope, device);
    if (this.#sets(first)) cell.all += 1;
    if (isEnded && this.#sets(second)) cell.ended += 1;
    const after = this.#weighed(cell);
    module.all += after.all - before.all;
    module.ended += after.ended - before.ended;
  }

  /** Of the term that knows more devices. */
  of(scope: Scope): Counted {
    const key = this.#keyIn(this.#now, scope);
    const module = scope.module ?? "";
    return {
      ofDomain: richer(this.#now.domains.get(key), this.#before.domains.get(key)),
      ofModule: richer(this.#now.modules.get(module), this.#before.modules.get(module)),
    };
  }

  #cellOf(scope: Scope): Cell {
    return cellIn(this.#now.domains, this.#keyIn(this.#now, scope));
  }

  #keyIn({ domains }: Term, { module, domain }: Scope): string {
    const key = `${module ?? ""} ${domain}`;
    return domains.has(key) || domains.size < this.#mostPairs ? key : `${module ?? ""} `;
  }

  #weighed({ ended, all }: Cell): Devices {
    if (all <= this.#mostOfDomain) return { ended, all };
    return { ended: (ended * this.#mostOfDomain) / all, all: this.#mostOfDomain };
  }

  /** Of the whole token, with a salt: nobody can make up devices that count as one, or as many. */
  #hashesOf({ module, domain }: Scope, device: string): readonly [number, number] {
    // As text, since a buffer for each publish costs twice as much: 1.4 µs.
    const digest = hash("sha1", `${this.#salt} ${module ?? ""} ${domain} ${device}`, "hex");
    return [Number.parseInt(digest.slice(0, 8), 16), Number.parseInt(digest.slice(8, 16), 16)];
  }

  /** False if the bit was set. */
  #sets(hashed: number): boolean {
    const bit = hashed % (BYTES * 8);
    const [place, mask] = [bit >>> 3, 1 << (bit & 7)];
    const byte = this.#now.bits[place] ?? 0;
    this.#now.bits[place] = byte | mask;
    return (byte & mask) === 0;
  }
}

const newTerm = (began: Millis, bits = new Uint8Array(BYTES)): Term => ({
  began,
  bits,
  domains: new Map(),
  modules: new Map(),
});

function cellIn(cells: Map<string, Cell>, key: string): Cell {
  const known = cells.get(key);
  if (known !== undefined) return known;
  const cell = { ended: 0, all: 0 };
  cells.set(key, cell);
  return cell;
}

const richer = (one: Devices = NONE, other: Devices = NONE): Devices => (one.all >= other.all ? one : other);
