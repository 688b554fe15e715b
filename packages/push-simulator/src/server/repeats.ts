const REMEMBERED = 1_000;

/** Texts that come again and again (bodies, bearers): kept once for all ledger entries, and parsed once. */
export class Repeats {
  readonly #texts = new Map<string, { readonly text: string; readonly json: unknown }>();

  /** The same text, without a copy of its own. */
  text(text: string): string {
    return this.#known(text).text;
  }

  /** The text as JSON; `undefined` if it is none. */
  json(text: string): unknown {
    return this.#known(text).json;
  }

  #known(text: string): { readonly text: string; readonly json: unknown } {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const entry = { text, json: jsonOf(text) };
    if (this.#texts.size >= REMEMBERED) this.#texts.clear();
    this.#texts.set(text, entry);
    return entry;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a provider may send anything
  }
}
