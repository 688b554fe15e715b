import { lookup } from "node:dns/promises";
import { type SecureContextOptions } from "node:tls";

/** Where to connect to and how to be let in. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Certificate authorities and client certificate. */
  readonly tls: SecureContextOptions;
  readonly proxy?: Proxy;
}

/** An HTTP proxy on the way. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** What it knows us by, if it asks. */
  readonly user?: string;
  /** Its first line is the password; read again for each connection. */
  readonly passwordFile?: string | undefined;
}

/** All addresses of a host name, asked anew before each connection; at least one, or it rejects. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

/** As the rest of this machine resolves names. */
export const systemResolver: Resolve = (host) => lookup(host, { all: true });

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Name and, unless it is the usual one, port (RFC 9110 §7.2): what `:authority` says. */
export const authorityOf = ({ host, port }: Endpoint): string => {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === 443 ? name : `${name}:${port}`;
};

/** A URL writes IPv6 addresses in brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, "$1");

/** `proxy` may have the name of a user, and no password. */
export const proxyOf = (proxy: URL, passwordFile: string | undefined): Proxy => ({
  host: hostOf(proxy),
  port: portOf(proxy),
  ...(proxy.username === "" ? {} : { user: decodeURIComponent(proxy.username), passwordFile }),
});

export const portOf = ({ port, protocol }: URL): number =>
  port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
