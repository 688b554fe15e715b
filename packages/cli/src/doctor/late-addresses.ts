import { BlockList, isIP, isIPv6 } from "node:net";

import { type Config } from "@reveille/runtime";

import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";

/**
 * Whether parts of this host may listen on its addresses before those are there. A tunnel's comes late in a boot: Redis and
 * Sentinel would have given up by then, and Prosody would listen on the others alone.
 */
export const checkLateAddresses: Check = async ({ config, machine }) => {
  const late = lateAddresses(config, machine.addresses());
  const families = [
    ["ipv4", late.filter((address) => !isIPv6(address))],
    ["ipv6", late.filter(isIPv6)],
  ] as const;
  if (late.length === 0) {
    return [about("net.ipv4.ip_nonlocal_bind").skipped("nothing here has an address that may come late")];
  }
  return Promise.all(
    families
      .filter(([, addresses]) => addresses.length > 0)
      .map(async ([family, addresses]) => {
        const item = `net.${family}.ip_nonlocal_bind`;
        return judgeNonlocalBind(item, addresses, await machine.setting(item));
      }),
  );
};

/** `item` is the name of the setting, whose value is undefined if it cannot be read. */
function judgeNonlocalBind(item: string, addresses: readonly string[], setting: string | undefined): Finding {
  const { ok, warn, skipped } = about(item);
  if (setting === undefined) return skipped("this kernel does not say");
  if (setting !== "0") return ok(`${setting}, for ${addresses.join(", ")}`);
  return warn(
    `0: what listens on ${addresses.join(", ")} may stay away after a boot in which that address comes late`,
    // Appended, since the other family may need its line, too.
    `echo ${item}=1 >>/etc/sysctl.d/60-reveille.conf; sysctl --load /etc/sysctl.d/60-reveille.conf`,
  );
}

/** Addresses of this host on which one of the parts that the configuration names listens, each once; no names. */
export function lateAddresses(config: Config, present: readonly string[]): readonly string[] {
  const { sidecar, ingress, redis } = config;
  const own = [
    sidecar.listen.host,
    ...(sidecar.statusListen === undefined ? [] : [sidecar.statusListen.host]),
  ];
  const anywhere = [
    ...("url" in redis ? [hostOf(redis.url)] : redis.sentinels.map(({ host }) => host)),
    ...ingress.components.map(({ service }) => hostOf(service)),
    ...(sidecar.fronts ?? []).map(({ host }) => host),
  ];
  const here = listOf(present);
  // The sidecar's in any case: a tunnel that is not up yet has no interface.
  const named = [...own, ...anywhere.filter((host) => has(here, host))];
  return [...new Set(named)].filter((host) => isIP(host) !== 0 && !has(ALWAYS_THERE, host));
}

/** URL keeps the brackets of an IPv6 address. */
const hostOf = (url: string): string => new URL(url).hostname.replaceAll(/[[\]]/g, "");

const familyOf = (address: string): "ipv4" | "ipv6" => (isIPv6(address) ? "ipv6" : "ipv4");

/** One address can be written in several ways; names are left out. */
function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) if (isIP(address) !== 0) list.addAddress(address, familyOf(address));
  return list;
}

const has = (list: BlockList, host: string): boolean => isIP(host) !== 0 && list.check(host, familyOf(host));

export const isAmong = (addresses: readonly string[], host: string): boolean => has(listOf(addresses), host);

export const isAlwaysThere = (host: string): boolean => has(ALWAYS_THERE, host);

/** Loopback, and the wildcards. */
const ALWAYS_THERE = listOf(["0.0.0.0", "::", "::1"]);
ALWAYS_THERE.addSubnet("127.0.0.0", 8, "ipv4");
