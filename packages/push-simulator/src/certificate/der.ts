/** One ASN.1 value in DER (X.690): tag, length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const digits = body.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items);
export const setOf = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const octets = (content: Uint8Array): Buffer => der(0x04, content);
export const yes = (): Buffer => der(0x01, Buffer.of(0xff));

/** Content bits, the last `unused` of which don't count. */
export const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.of(unused), content);

/** A positive integer from its bytes, most significant first. */
export const unsigned = (bytes: Uint8Array): Buffer =>
  der(0x02, (bytes[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.of(), bytes);

/** The value under the context tag `number`, constructed. */
export const tagged = (number: number, ...content: readonly Uint8Array[]): Buffer =>
  der(0xa0 | number, ...content);

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, ...[first * 40 + second, ...rest].map(base128));
}

function base128(value: number): Buffer {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift(0x80 | (left % 128));
  }
  return Buffer.from(digits);
}

/** A point in time to the second: UTCTime up to 2049, as RFC 5280 §4.1.2.5 wants it. */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return at.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}
