/** Code points that steer the scanner. */
export const AMPERSAND = 0x26;
export const APOSTROPHE = 0x27;
export const BANG = 0x21;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const LESS = 0x3c;
export const QUESTION = 0x3f;
export const QUOTE = 0x22;
export const SLASH = 0x2f;

const SPACE = 1;
const ENDS_NAME = 2;
const FORBIDDEN = 4;

/** What an ASCII character may do, as bits. Above ASCII only U+FFFE and U+FFFF are special. */
const TRAITS = traitsOfAscii();

function traitsOfAscii(): Uint8Array {
  const traits = new Uint8Array(128);
  traits.fill(FORBIDDEN | ENDS_NAME, 0, 0x20);
  for (const mark of "'\"<>/=&![](){}@#$%^*+,;?\\`|~") traits[mark.charCodeAt(0)] = ENDS_NAME;
  for (const space of " \t\n\r") traits[space.charCodeAt(0)] = SPACE | ENDS_NAME;
  return traits;
}

function traitOf(code: number): number {
  if (code < 128) return TRAITS[code] ?? 0;
  return code >= 0xfffe ? FORBIDDEN | ENDS_NAME : 0;
}

export const isSpace = (code: number): boolean => (traitOf(code) & SPACE) !== 0;

/** XML 1.0 §2.2; lone surrogates cannot come out of the UTF-8 decoder. */
export const isForbidden = (code: number): boolean => (traitOf(code) & FORBIDDEN) !== 0;

/**
 * Text as UTF-16 code units, of which those before an `end` count. Reading them costs a fifth of `charCodeAt`:
 * V8 stops inlining that as soon as any class anywhere extends String, as one in ioredis 6 does.
 */
export type CodeUnits = Uint16Array;

/** Where a step of the scanner ended, when it is not an index. */
export const INCOMPLETE = -1;
export const FAULTY = -2;

/**
 * Whether a name may begin with this character: not with a digit, a dash or a dot (XML 1.0 §2.3). Other rules for
 * names above ASCII are left to the front, which must not be stricter than we are.
 */
export const beginsName = (code: number): boolean =>
  (traitOf(code) & ENDS_NAME) === 0 && !((code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e);

/** Index after the name that begins at `from`: `from` itself if there is none, `end` if it may go on. */
export const endOfName = (codes: CodeUnits, from: number, end: number): number =>
  from < end && beginsName(codes[from] ?? 0) ? restOfName(codes, from + 1, end) : from;

/** Index after the name that has begun before `from`; `end` if it may go on. */
export function restOfName(codes: CodeUnits, from: number, end: number): number {
  let at = from;
  while (at < end && (traitOf(codes[at] ?? 0) & ENDS_NAME) === 0) at += 1;
  return at;
}

/** Index of the first character from `from` on that is no white space; `end` if there is none. */
export function endOfSpace(codes: CodeUnits, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(codes[at] ?? 0)) at += 1;
  return at;
}
