import { type X509Certificate } from "node:crypto";

import { parseDomain } from "./domain-name.ts";

/**
 * Whether a certificate names this domain: a dNSName, with a wildcard as the whole left-most label at most (RFC 6125
 * §6.4.1, RFC 7590), an SRVName of servers (RFC 4985) or an XmppAddr (RFC 6120 §13.7.1.2). The subject's common name does
 * not count. Says nothing of who signed it, or of its dates.
 */
export function namesDomain(certificate: X509Certificate, domain: string): boolean {
  const options = {
    subject: "never",
    wildcards: true,
    partialWildcards: false,
    multiLabelWildcards: false,
  } as const;
  return (
    certificate.checkHost(domain, options) !== undefined ||
    otherNamesOf(certificate.subjectAltName ?? "").some((name) => parseDomain(name) === domain)
  );
}

const OTHER_NAME = /^othername:(?:SRVName:_xmpp-server\.|XmppAddr:)(.*)$/;

/**
 * Domains of SRVNames and XmppAddrs, from Node's text of the names. Node writes a name that contains a comma or a quote as
 * a JSON string, so such a one can neither end an entry nor begin one.
 */
const otherNamesOf = (names: string): readonly string[] =>
  (names.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []).flatMap((entry) => {
    const [, name] = OTHER_NAME.exec(entry.trim()) ?? [];
    return name === undefined ? [] : [name];
  });
