import { FAULTY, INCOMPLETE } from "./characters.ts";

const DECLARATION =
  /^<\?xml\s+version\s*=\s*(?:'1\.0'|"1\.0")(?:\s+encoding\s*=\s*(?:'utf-8'|"utf-8"))?\s*\?>$/i;
const LONGEST = 256;

/** Index after the XML declaration with which `text` begins; `FAULTY` if that is none, or a very long one. */
export function endOfDeclaration(text: string): number {
  const end = text.slice(0, LONGEST).indexOf("?>");
  if (end === -1) return text.length < LONGEST ? INCOMPLETE : FAULTY;
  return DECLARATION.test(text.slice(0, end + 2)) ? end + 2 : FAULTY;
}
