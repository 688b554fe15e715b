/** Where a connection was to go, for people. */
export interface Way {
  /** `api.push.apple.com:443`; several by commas. */
  readonly to: string;
  /** The setting that names another authority of its certificate, if there is one. */
  readonly caSetting?: string;
}

/**
 * The cure for one fault of the network, by the system's code at the end of what `networkTrouble` says; `undefined` for a
 * fault that it does not know.
 */
export function networkCure(because: string, { to, caSetting }: Way): string | undefined {
  const [, code = because] = /\(([A-Z][A-Z0-9_]+)\)$/.exec(because) ?? [];
  const kind = code === "EPROTO" || code.startsWith("ERR_SSL_") ? "no-tls" : KINDS.get(code);
  switch (kind) {
    case "no-name":
      return `see how the name is written, and what this host's resolver says: getent hosts ${hostOf(to)}`;
    case "no-dns":
      return "have a name server answer this host (/etc/resolv.conf): getent hosts debian.org";
    case "refused":
      return `start what listens there, or correct the address: nobody accepts connections at ${to}, or a firewall rejects them`;
    case "no-route":
      return `give this host a route: ip route get ${hostOf(to)}`;
    case "silence":
      return `let the firewalls pass TCP to ${to}, and see that the other side is not overloaded`;
    case "wrong-name":
      return `correct the address, or exempt ${to} from a proxy that inspects TLS: who answers has a certificate for another name`;
    case "wrong-authority":
      return `exempt ${to} from a proxy that inspects TLS${caSetting === undefined ? "" : `, or name the authority of its certificate by ${caSetting}`}`;
    case "expired":
      return `set this host's clock right (timedatectl), or have the certificate at ${to} renewed`;
    case "no-tls":
      return `correct the port or the scheme: ${to} speaks plain text, or no version of TLS that we do`;
    case undefined:
      return undefined;
  }
}

const hostOf = (to: string): string => (to.split(",")[0] ?? to).replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");

type Kind =
  | "no-name"
  | "no-dns"
  | "refused"
  | "no-route"
  | "silence"
  | "wrong-name"
  | "wrong-authority"
  | "expired"
  | "no-tls";

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["ENOTFOUND", "no-name"],
  ["ENODATA", "no-name"],
  ["EAI_AGAIN", "no-dns"],
  ["ETIMEOUT", "no-dns"],
  ["ESERVFAIL", "no-dns"],
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "no-route"],
  ["ENETUNREACH", "no-route"],
  ["ETIMEDOUT", "silence"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "wrong-name"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "wrong-authority"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "wrong-authority"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "wrong-authority"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "wrong-authority"],
  ["CERT_HAS_EXPIRED", "expired"],
  ["CERT_NOT_YET_VALID", "expired"],
]);
