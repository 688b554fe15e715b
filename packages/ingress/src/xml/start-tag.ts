import { isForbidden, isSpace } from "./characters.ts";
import { resolveReferences } from "./references.ts";

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
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  begin(name: string): void {
    this.name = name;
    this.#count = 0;
  }

  /** Whether the attribute is new and its value well-formed; `raw` is the text between the quotes. */
  add(name: string, raw: string): boolean {
    for (let index = 0; index < this.#count; index += 1) if (this.#names[index] === name) return false;
    const value = valueOf(raw);
    if (value === undefined) return false;
    if (this.#count === MAX_ATTRIBUTES) return true;
    this.#names[this.#count] = name;
    this.#values[this.#count] = value;
    this.#count += 1;
    return true;
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

/** Resolves references and white space (XML 1.0 §3.3.3); `undefined` if the value is not well-formed. */
function valueOf(raw: string): string | undefined {
  let isPlain = true;
  for (let at = 0; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === 0x3c || isForbidden(code)) return undefined;
    if (code === 0x26 || (code !== 0x20 && isSpace(code))) isPlain = false;
  }
  return isPlain ? raw : resolveReferences(raw.replaceAll(/\r\n|[\t\n\r]/g, " "));
}
