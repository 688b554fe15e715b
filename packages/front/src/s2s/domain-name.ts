import { isIP } from "node:net";
import { domainToASCII } from "node:url";

const LABELS =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * A domain of a server as A-labels in lower case, without a final dot, so that two spellings of a name are one;
 * `undefined` for what cannot have a certificate: an IP address, an empty or malformed name.
 */
export function parseDomain(text: string): string | undefined {
  const plain = text.endsWith(".") ? text.slice(0, -1) : text;
  if (plain.length === 0 || plain.length > 1_023 || isIP(plain) !== 0) return undefined;
  if (LABELS.test(plain)) return plain;
  // These end a host name, or hide in it, where URLs are read.
  if (/[\s%/?#\\:@[\]]/.test(plain)) return undefined;
  const ascii = domainToASCII(plain.toLowerCase());
  return LABELS.test(ascii) && isIP(ascii) === 0 ? ascii : undefined;
}

/** The domain part of an address (RFC 7622 §3.1), not yet parsed. */
export function domainPartOf(address: string): string {
  const slash = address.indexOf("/");
  const bare = slash === -1 ? address : address.slice(0, slash);
  return bare.slice(bare.indexOf("@") + 1);
}
