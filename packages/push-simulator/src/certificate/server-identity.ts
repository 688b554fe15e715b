import { type ApnsSimulatorOptions } from "../options.ts";
import { createAuthority, extendedKeyUsage, type KeyAndCertificate, subjectNames } from "./issue.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

/** Key and certificate of a server, and what its clients must trust. */
export interface ServerIdentity extends KeyAndCertificate {
  readonly ca: string;
}

/** The given one, or a new one by an authority that nobody keeps. */
export function serverIdentity({
  tls,
  names = LOOPBACK,
}: Pick<ApnsSimulatorOptions, "tls" | "names">): ServerIdentity {
  if (tls !== undefined) return { key: tls.key, cert: tls.cert, ca: tls.ca ?? tls.cert };
  const authority = createAuthority("APNs simulator CA");
  const server = authority.issue({ commonName: names[0] ?? "APNs simulator" }, [
    subjectNames(names),
    extendedKeyUsage(1),
  ]);
  return { ...server, ca: authority.cert };
}
