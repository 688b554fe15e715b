import { BlockList, isIP } from "node:net";

/** Whether a front may open a connection to this address. */
export type AddressRule = (address: string) => boolean;

const INSIDE: readonly (readonly [string, number, "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
  ["::", 127, "ipv6"],
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

/**
 * Addresses of the open internet only: whoever claims a domain chooses where we connect to, and must not reach what is
 * inside our network (RFC 6890's special purpose registries).
 */
export function publicAddressesOnly(): AddressRule {
  const inside = new BlockList();
  for (const [network, prefix, family] of INSIDE) inside.addSubnet(network, prefix, family);
  return (address) => isIP(address) !== 0 && !inside.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** For a region on a private network, and for tests. */
export const anyAddress: AddressRule = () => true;
