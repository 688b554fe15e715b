import {
  APOSTROPHE,
  beginsName,
  type CodeUnits,
  endOfSpace,
  EQUALS,
  FAULTY,
  GREATER,
  INCOMPLETE,
  isForbidden,
  isSpace,
  LESS,
  QUOTE,
  restOfName,
  SLASH,
} from "./characters.ts";

/** What comes next in a tag. */
type Next =
  | "opening"
  | "first"
  | "name"
  | "delimiter"
  | "gap"
  | "attribute"
  | "equals"
  | "quote"
  | "value"
  | "empty"
  | "end-first"
  | "end-name"
  | "end-gap"
  | "nothing";

/**
 * Finds the end of a start or end tag that comes in pieces of any size, and keeps none of it: each character is
 * read once. The syntax is checked as strictly as that of a tag that is read whole; references and repeated
 * attributes are not.
 */
export class TagEnd {
  #next: Next = "nothing";
  #quote = QUOTE;
  #isEmpty = false;

  /** Expects the `<` of a tag. */
  begin(): void {
    this.#next = "opening";
    this.#isEmpty = false;
  }

  /** Whether the tag that has ended is that of an empty element. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Reads on; the index after the tag, or `INCOMPLETE` or `FAULTY`. */
  find(codes: CodeUnits, from: number, end: number): number {
    let at = from;
    while (at < end) {
      at = this.#step(codes, at, end);
      if (at === FAULTY || this.#next === "nothing") return at;
    }
    return INCOMPLETE;
  }

  /** From `at` to where something else comes next, or to the end. */
  #step(codes: CodeUnits, at: number, end: number): number {
    switch (this.#next) {
      case "opening":
        return this.#then("first", at + 1);
      case "first":
        return codes[at] === SLASH ? this.#then("end-first", at + 1) : this.#begin("name", codes, at);
      case "name":
        return this.#then("delimiter", restOfName(codes, at, end), end);
      case "delimiter":
        return isSpace(codes[at] ?? 0) ? this.#then("gap", at + 1) : this.#delimiter(codes, at);
      case "gap":
        return this.#gap(codes, endOfSpace(codes, at, end), end);
      case "attribute":
        return this.#then("equals", restOfName(codes, at, end), end);
      case "equals":
        return this.#expect(EQUALS, "quote", [codes, endOfSpace(codes, at, end), end]);
      case "quote":
        return this.#opensValue(codes, endOfSpace(codes, at, end), end);
      case "value":
        return this.#value(codes, at, end);
      case "empty":
        return this.#expect(GREATER, "nothing", [codes, at, end]);
      case "end-first":
        return this.#begin("end-name", codes, at);
      case "end-name":
        return this.#then("end-gap", restOfName(codes, at, end), end);
      case "end-gap":
        return this.#expect(GREATER, "nothing", [codes, endOfSpace(codes, at, end), end]);
      case "nothing":
        return FAULTY;
    }
  }

  /** At `end` more of the same may follow in the next piece. */
  #then(next: Next, at: number, end = Infinity): number {
    if (at < end) this.#next = next;
    return at;
  }

  #begin(next: Next, codes: CodeUnits, at: number): number {
    return beginsName(codes[at] ?? 0) ? this.#then(next, at + 1) : FAULTY;
  }

  #expect(
    mark: number,
    next: Next,
    [codes, at, end]: readonly [codes: CodeUnits, at: number, end: number],
  ): number {
    if (at === end) return at;
    return codes[at] === mark ? this.#then(next, at + 1) : FAULTY;
  }

  #gap(codes: CodeUnits, at: number, end: number): number {
    if (at === end) return at;
    const code = codes[at];
    return code === GREATER || code === SLASH
      ? this.#delimiter(codes, at)
      : this.#begin("attribute", codes, at);
  }

  #delimiter(codes: CodeUnits, at: number): number {
    if (codes[at] === GREATER) return this.#then("nothing", at + 1);
    if (codes[at] !== SLASH) return FAULTY;
    this.#isEmpty = true;
    return this.#then("empty", at + 1);
  }

  #opensValue(codes: CodeUnits, at: number, end: number): number {
    if (at === end) return at;
    const quote = codes[at];
    if (quote !== QUOTE && quote !== APOSTROPHE) return FAULTY;
    this.#quote = quote;
    return this.#then("value", at + 1);
  }

  #value(codes: CodeUnits, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const code = codes[at] ?? 0;
      if (code === this.#quote) return this.#then("delimiter", at + 1);
      if (code === LESS || isForbidden(code)) return FAULTY;
    }
    return end;
  }
}
