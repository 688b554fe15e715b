const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there: see that it runs, and that host and port are right",
  ECONNRESET: "the other side has cut the connection",
  EPIPE: "the other side has cut the connection",
  ETIMEDOUT: "no answer in time: see whether it runs, and whether a firewall is in between",
  EHOSTUNREACH: "no way leads there: look at routes and firewalls",
  ENETUNREACH: "no way leads there: look at routes and firewalls",
  EADDRNOTAVAIL: "no address or port of this host is left for it: look at routes and open connections",
  ENOTFOUND: "DNS knows no such name: see how it is written",
  ENODATA: "DNS knows no address of that name: see how it is written",
  EAI_AGAIN: "DNS does not answer: look at the resolver of this host",
  ETIMEOUT: "DNS does not answer: look at the resolver of this host",
  ESERVFAIL: "DNS does not answer: look at the resolver of this host",
  EACCES: "this user may not use it: look at its owner and mode",
  EPERM: "this user may not use it: look at its owner and mode, and at the firewall",
  ENOTDIR: "it is no folder: mend the path",
  EMFILE: "this process has too many files open: raise its limit (LimitNOFILE)",
  ENFILE: "this host has too many files open: raise fs.file-max",
  EAGAIN: "it takes no more connections: it hangs or is overloaded",
  CERT_HAS_EXPIRED: "its certificate has expired: have it renewed, or set the clock of this host right",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: set the clock of this host right",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name: see who answers under this name",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "nobody whom we trust has signed its certificate: see who answers, or set its CA",
  SELF_SIGNED_CERT_IN_CHAIN:
    "nobody whom we trust has signed its certificate: see who answers, or set its CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "nobody whom we trust has signed its certificate: see who answers, or set its CA",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "nobody whom we trust has signed its certificate: see who answers, or set its CA",
};

const CODE = /^[A-Z][A-Z0-9_]{1,60}$/;

/**
 * Why the network, a socket or a folder let us down: what is wrong and what to do, from a closed list, with the code
 * of the system in brackets. The text of the error stays out: it may name addresses, paths or arguments.
 */
export function networkTrouble(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code !== "string" || !CODE.test(code)) return "it failed for no reason that is known";
  return `${reasonOf(code)} (${code})`;
}

function reasonOf(code: string): string {
  if (Object.hasOwn(REASONS, code)) return REASONS[code] ?? "";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return "it speaks no TLS that we do, or takes none of ours";
  if (code.startsWith("ERR_HTTP2_")) return "HTTP/2 broke off";
  if (code.startsWith("HPE_")) return "it speaks no HTTP";
  return "it failed";
}
