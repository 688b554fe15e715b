/** Attributes past these are checked and dropped, so that a tag full of them costs no quadratic time. */
const MAX_ATTRIBUTES = 64;

/**
 * The start tag being read, with its namespace. One object serves a whole stream: copy what you keep.
 */
export class StartTag {
  /** As written, with its prefix. */
  name = "";
  /** Without its prefix. */
  local = "";
  /** Empty for "none", and for a prefix that was never bound: such an element is unknown, not an error. */
  namespace = "";
  #count = 0;
  #isCut = false;
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  begin(name: string): void {
    this.name = name;
    this.#count = 0;
    this.#isCut = false;
  }

  /** Whether the attribute is new. */
  add(name: string, value: string): boolean {
    for (let index = 0; index < this.#count; index += 1) if (this.#names[index] === name) return false;
    if (this.#count === MAX_ATTRIBUTES) {
      this.#isCut = true;
      return true;
    }
    this.#names[this.#count] = name;
    this.#values[this.#count] = value;
    this.#count += 1;
    return true;
  }

  /** Whether it has more attributes than are kept. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get attributes(): number {
    return this.#count;
  }

  /** The value of an attribute, by its name as written. */
  value(name: string): string | undefined {
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#names[index] === name) return this.#values[index];
    }
    return undefined;
  }

  nameAt(index: number): string {
    return this.#names[index] ?? "";
  }

  /** Lets go of the text of the stream that the last tags point into. */
  forget(): void {
    this.begin("");
    this.local = "";
    this.namespace = "";
    this.#names.length = 0;
    this.#values.length = 0;
  }
}
