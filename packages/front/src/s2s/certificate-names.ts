import { type X509Certificate } from "node:crypto";

/**
 * Whether a certificate names this domain (RFC 6125 §6.4.1, RFC 7590): a dNSName, with a wildcard as the whole left-most
 * label at most. The subject's common name does not count. Says nothing of who signed it, or of its dates.
 */
export function namesDomain(certificate: X509Certificate, domain: string): boolean {
  const options = {
    subject: "never",
    wildcards: true,
    partialWildcards: false,
    multiLabelWildcards: false,
  } as const;
  return certificate.checkHost(domain, options) !== undefined;
}
