import {
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";

/** A private key on P-256, ready to sign. */
export interface SigningKey {
  readonly scalar: bigint;
}

/** Order of the group of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Throws an Error (without key material) unless `pem` is a private key on P-256, as Apple's `.p8` files are. */
export function signingKeyOf(pem: string): SigningKey {
  const { crv, d } = privateKey(pem).export({ format: "jwk" });
  if (crv !== "P-256" || d === undefined) throw new Error("holds a key that is not on the curve P-256");
  return { scalar: integer(Buffer.from(d, "base64url")) };
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's message says less than this one, and a cause could carry the text of the file.
    throw new Error("holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  }
}

/**
 * An ES256 signature (RFC 7518 §3.4, base64url) that is the same whenever and wherever the same text is signed
 * (RFC 6979 §3.2), so that processes which never speak to each other show Apple one and the same token.
 * OpenSSL, through Node, signs with a random nonce only; it still does the point multiplication here.
 */
export function signEs256(key: SigningKey, text: string): string {
  const digest = integer(createHash("sha256").update(text).digest()) % ORDER;
  for (const nonce of nonces(key.scalar, digest)) {
    const r = multiplyBase(nonce) % ORDER;
    const s = divide(digest + r * key.scalar, nonce);
    if (r !== 0n && s !== 0n) return Buffer.concat([octets(r), octets(s)]).toString("base64url");
  }
  throw new Error("RFC 6979 ran out of nonces");
}

/** The candidates of RFC 6979 §3.2; the first one is good but for one case in 2^32. */
function* nonces(scalar: bigint, digest: bigint): Generator<bigint, undefined> {
  const seed = Buffer.concat([octets(scalar), octets(digest)]);
  let value: Buffer = Buffer.alloc(32, 1);
  let mac: Buffer = Buffer.alloc(32, 0);
  for (const round of [0, 1]) {
    mac = hmac(mac, value, Buffer.of(round), seed);
    value = hmac(mac, value);
  }
  for (;;) {
    value = hmac(mac, value);
    const nonce = integer(value);
    if (nonce > 0n && nonce < ORDER) yield nonce;
    mac = hmac(mac, value, Buffer.of(0));
    value = hmac(mac, value);
  }
}

/** The x coordinate of `scalar` times the base point. */
function multiplyBase(scalar: bigint): bigint {
  const point = createECDH("prime256v1");
  point.setPrivateKey(octets(scalar));
  return integer(point.getPublicKey().subarray(1, 33));
}

/** Blinded by chance, since BigInt does not take the same time for all numbers. */
function divide(numerator: bigint, denominator: bigint): bigint {
  const blind = (integer(randomBytes(32)) % (ORDER - 1n)) + 1n;
  return ((((numerator % ORDER) * blind) % ORDER) * power((denominator * blind) % ORDER, ORDER - 2n)) % ORDER;
}

/** By Fermat, `power(x, ORDER - 2)` is the inverse of x. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % ORDER) {
    if ((rest & 1n) === 1n) result = (result * square) % ORDER;
  }
  return result;
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

const integer = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString("hex")}`);
const octets = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, "0"), "hex");
