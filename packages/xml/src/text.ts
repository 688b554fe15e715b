import { AMPERSAND, type CodeUnits, GREATER, isForbidden } from "./characters.ts";
import { resolveReferences } from "./references.ts";

/** Whether text between tags has legal characters and references only. */
export function isSoundText(text: string, codes: CodeUnits, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) {
    const code = codes[at] ?? 0;
    if (isForbidden(code)) return false;
    if (code === GREATER && at >= from + 2 && text.startsWith("]]", at - 2)) return false;
    if (code === AMPERSAND) {
      const semicolon = text.indexOf(";", at);
      if (semicolon === -1 || semicolon >= end) return false;
      if (resolveReferences(text.slice(at, semicolon + 1)) === undefined) return false;
      at = semicolon;
    }
  }
  return true;
}

/** `&#x10FFFF;` */
const LONGEST_REFERENCE = 10;

/** How much of `text` can be judged: a reference, `]]>` or line end may go on in the next chunk. */
export function settledEnd(text: string, from: number): number {
  const at = settledCdataEnd(text, from);
  const reference = text.lastIndexOf("&", at - 1);
  const isOpen = reference >= from && at - reference < LONGEST_REFERENCE && !text.includes(";", reference);
  return isOpen ? reference : at;
}

/** Likewise in a CDATA section, which has no references. */
export function settledCdataEnd(text: string, from: number): number {
  const end = text.length;
  let at = end;
  while (at > from && at > end - 2 && text[at - 1] === "]") at -= 1;
  return at > from && text[at - 1] === "\r" ? at - 1 : at;
}
