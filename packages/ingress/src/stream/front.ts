/** A component slot on one front, as configured. */
export interface ComponentOptions {
  /** `xmpp://host:port`; 5347 if no port is given. */
  readonly service: string;
  /** Our hostname in the XMPP network. */
  readonly domain: string;
  /** The secret shared with the front (XEP-0114 §3). */
  readonly secret: string;
}

/** A component slot with its address taken apart. */
export interface Front {
  /** For events: no secret in it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  readonly secret: string;
}

/** Throws if the service is not `xmpp://host` or `xmpp://host:port`. */
export function frontOf({ service, domain, secret }: ComponentOptions): Front {
  const url = URL.canParse(service) ? new URL(service) : undefined;
  if (url === undefined || url.protocol !== "xmpp:" || url.hostname === "") {
    throw new Error(`component service is not xmpp://host:port: ${service}`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { name: service, host, port: url.port === "" ? 5347 : Number(url.port), domain, secret };
}
