/**
 * Bits of the code of each byte, and of the end-of-string mark (RFC 7541 appendix B). The code is canonical:
 * codes of equal length follow each other in the order of their bytes, so the lengths say everything.
 */
// oxfmt-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END_OF_STRING = 256;
const LONGEST = 30;

const BY_CODE = LENGTHS.map((_, symbol) => symbol).toSorted(
  (one, other) => lengthOf(one) - lengthOf(other) || one - other,
);

/** For each length: the first code, how many there are, and where their symbols begin in `BY_CODE`. */
const FIRST_CODE: number[] = [];
const COUNT: number[] = [];
const BEGIN: number[] = [];
for (let length = 0, code = 0, begin = 0; length <= LONGEST; length += 1) {
  const count = LENGTHS.filter((each) => each === length).length;
  FIRST_CODE.push(code);
  COUNT.push(count);
  BEGIN.push(begin);
  begin += count;
  code = (code + count) * 2;
}

/** Text of a Huffman-coded string (RFC 7541 §5.2). Throws an Error where the RFC demands one. */
export function decodeHuffman(bytes: Buffer): string {
  let text = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = code * 2 + ((byte >> bit) & 1);
      length += 1;
      const symbol = symbolOf(code, length);
      if (symbol === undefined) continue;
      if (symbol === END_OF_STRING) throw new Error("a Huffman-coded string contains its end mark");
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  if (length > 7 || code !== 2 ** length - 1) throw new Error("a Huffman-coded string has a wrong padding");
  return text;
}

function symbolOf(code: number, length: number): number | undefined {
  const place = code - (FIRST_CODE[length] ?? 0);
  return place < (COUNT[length] ?? 0) ? BY_CODE[(BEGIN[length] ?? 0) + place] : undefined;
}

function lengthOf(symbol: number): number {
  return LENGTHS[symbol] ?? 0;
}
