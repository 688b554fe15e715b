import { Resolver } from "node:dns/promises";

import { type DoctorContext } from "./doctor-context.ts";

/** One target of an SRV record, with the addresses of its host. */
export interface Target {
  /** `.`: the domain says that it does not offer this (RFC 2782). */
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  /** `starttls`: `_xmpp-server`. `direct`: `_xmpps-server` (XEP-0368). */
  readonly tls: "starttls" | "direct";
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

const SERVICES = [
  ["_xmpp-server._tcp", "starttls"],
  ["_xmpps-server._tcp", "direct"],
] as const;

/** What users' servers find when they look for `domain`, asked without a cache of ours. Throws when DNS is away. */
export async function targetsOf(
  domain: string,
  { dnsServers, timeout }: Pick<DoctorContext, "dnsServers" | "timeout">,
): Promise<readonly Target[]> {
  const resolver = new Resolver({ timeout, tries: 1 });
  if (dnsServers.length > 0) resolver.setServers([...dnsServers]);
  const found = await Promise.all(
    SERVICES.map(async ([service, tls]) => {
      const records = await orNone(resolver.resolveSrv(`${service}.${domain}`));
      return Promise.all(
        records.map(async ({ name, port, priority }) => ({
          host: name === "" ? NOT_OFFERED : name,
          port,
          priority,
          tls,
          ipv4: isOffered(name) ? await orNone(resolver.resolve4(name)) : [],
          ipv6: isOffered(name) ? await orNone(resolver.resolve6(name)) : [],
        })),
      );
    }),
  );
  return found.flat().toSorted((one, other) => one.priority - other.priority);
}

export const NOT_OFFERED = ".";

const isOffered = (name: string): boolean => name !== "" && name !== NOT_OFFERED;

/** A name or record that is not there is an answer; a DNS that is not there is none. */
async function orNone<Record>(records: Promise<Record[]>): Promise<readonly Record[]> {
  try {
    return await records;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw error;
  }
}
