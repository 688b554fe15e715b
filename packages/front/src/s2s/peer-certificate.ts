import { type X509Certificate } from "node:crypto";
import { type TLSSocket } from "node:tls";

import { namesDomain } from "./certificate-names.ts";

/** What the certificate that a peer has shown is worth. */
export interface PeerCertificate {
  /** Whether it proves this domain: signed by an authority we trust, in its dates, for this use, with this name. */
  readonly proves: (domain: string) => boolean;
  /** Why it proves nothing at all, by Node's code, such as `CERT_HAS_EXPIRED`; `none` if there was none. */
  readonly fault: string | undefined;
}

/**
 * Reads it off a finished handshake. `authorized` alone counts: Node reports `INVALID_PURPOSE` for a good certificate
 * that says `serverAuth` only, and the same for a self-signed one, so that code proves nothing. Of sockets that accept,
 * only those that a `tls.Server` made have `authorized` set.
 */
export function peerCertificateOf(socket: TLSSocket): PeerCertificate {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  const isTrusted = certificate !== undefined && socket.authorized;
  const fault = isTrusted
    ? undefined
    : certificate === undefined
      ? "none"
      : String(socket.authorizationError);
  return {
    proves: (domain) => isTrusted && namesDomain(certificate, domain),
    fault,
  };
}
