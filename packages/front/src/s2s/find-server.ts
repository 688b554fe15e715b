import { isIP } from "node:net";

import { orderTargets, type SrvRecord, type Target } from "./order-targets.ts";
import { type AddressRule } from "./address-rule.ts";

/** What of DNS a front asks; Node's `Resolver` of `node:dns/promises` fits. */
export interface NameResolver {
  readonly resolveSrv: (name: string) => Promise<readonly SrvRecord[]>;
  readonly resolve4: (name: string) => Promise<readonly string[]>;
  readonly resolve6: (name: string) => Promise<readonly string[]>;
}

/** One address that a server may be reached at. */
export interface Endpoint extends Omit<Target, "host"> {
  readonly address: string;
}

const DEFAULT_PORT = 5269;
/** More than any server has; a zone that names thousands costs no more. */
const MAX_TARGETS = 8;
const MAX_ENDPOINTS = 12;

/**
 * Where the server of a domain is, best first: by SRV records of both kinds, else at the domain itself (RFC 6120 §3.2).
 * Addresses that `isAllowed` refuses are left out. Empty if there is none; rejects if DNS does not answer.
 */
export async function findServer(
  domain: string,
  resolver: NameResolver,
  isAllowed: AddressRule,
): Promise<readonly Endpoint[]> {
  const [direct, clear] = await anyOf([
    srvOf(`_xmpps-server._tcp.${domain}`, resolver),
    srvOf(`_xmpp-server._tcp.${domain}`, resolver),
  ]);
  const records = [
    ...direct.map((record) => ({ ...record, isDirect: true })),
    ...clear.map((record) => ({ ...record, isDirect: false })),
  ];
  const targets =
    records.length === 0
      ? [{ host: domain, port: DEFAULT_PORT, isDirect: false }]
      : orderTargets(records.slice(0, 4 * MAX_TARGETS), Math.random).slice(0, MAX_TARGETS);
  const endpoints: Endpoint[] = [];
  for (const { host, port, isDirect } of targets) {
    for (const address of await addressesOf(host, resolver))
      if (isAllowed(address)) endpoints.push({ address, port, isDirect });
    if (endpoints.length >= MAX_ENDPOINTS) break;
  }
  return endpoints.slice(0, MAX_ENDPOINTS);
}

const srvOf = async (name: string, resolver: NameResolver): Promise<readonly SrvRecord[]> =>
  resolver.resolveSrv(name).catch(nothingIfAbsent);

async function addressesOf(host: string, resolver: NameResolver): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const [six, four] = await anyOf([
    resolver.resolve6(host).catch(nothingIfAbsent),
    resolver.resolve4(host).catch(nothingIfAbsent),
  ]);
  return [...six, ...four];
}

/** Some name servers fail for a kind of record that they do not know: what the other question finds counts then. */
async function anyOf<T>(
  questions: readonly [Promise<readonly T[]>, Promise<readonly T[]>],
): Promise<readonly [readonly T[], readonly T[]]> {
  const [one, other] = await Promise.allSettled(questions);
  const found = (answer: PromiseSettledResult<readonly T[]>): readonly T[] =>
    answer.status === "fulfilled" ? answer.value : [];
  const failed = [one, other].find((answer) => answer.status === "rejected");
  if (failed !== undefined && found(one).length + found(other).length === 0) throw failed.reason;
  return [found(one), found(other)];
}

/** A name that does not exist is an answer; anything else is a trouble of DNS. */
function nothingIfAbsent(error: unknown): readonly never[] {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOTFOUND" || code === "ENODATA" || code === "EBADNAME") return [];
  throw error;
}
