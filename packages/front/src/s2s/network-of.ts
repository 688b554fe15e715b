import { isIPv6 } from "node:net";

/**
 * Whom connections of an address are counted for: an address of IPv4, a network of 56 bits of IPv6, since that is what a
 * customer gets (RFC 6177).
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  const [one, two, three, four = "0"] = [...before, ...zeros, ...after];
  const subnet = (Number.parseInt(four, 16) & 0xff00).toString(16);
  return `${one}:${two}:${three}:${subnet}::/56`;
}
