import {
  AMPERSAND,
  APOSTROPHE,
  type CodeUnits,
  endOfName,
  endOfSpace,
  EQUALS,
  FAULTY,
  INCOMPLETE,
  isForbidden,
  isSpace,
  LESS,
  QUOTE,
} from "./characters.ts";
import { resolveReferences } from "./references.ts";
import { type StartTag } from "./start-tag.ts";

/** Text that is read now, as far as `end`. */
export interface Source {
  readonly text: string;
  readonly codes: CodeUnits;
  readonly end: number;
}

/** Reads one attribute into `tag`; the index after it, or how it failed. */
export function readAttribute({ text, codes, end }: Source, from: number, tag: StartTag): number {
  const nameEnd = endOfName(codes, from, end);
  if (nameEnd === from) return FAULTY;
  const equals = endOfSpace(codes, nameEnd, end);
  if (equals === end) return INCOMPLETE;
  if (codes[equals] !== EQUALS) return FAULTY;
  const opening = endOfSpace(codes, equals + 1, end);
  if (opening === end) return INCOMPLETE;
  const quote = codes[opening];
  if (quote !== QUOTE && quote !== APOSTROPHE) return FAULTY;
  let isPlain = true;
  for (let at = opening + 1; at < end; at += 1) {
    const code = codes[at] ?? 0;
    if (code === quote) {
      const raw = text.slice(opening + 1, at);
      // XML 1.0 §3.3.3: white space becomes spaces, references become characters.
      const value = isPlain ? raw : resolveReferences(raw.replaceAll(/\r\n|[\t\n\r]/g, " "));
      return value !== undefined && tag.add(text.slice(from, nameEnd), value) ? at + 1 : FAULTY;
    }
    if (code === LESS || isForbidden(code)) return FAULTY;
    if (code === AMPERSAND || (code < 0x20 && isSpace(code))) isPlain = false;
  }
  return INCOMPLETE;
}
