import { type EpochMillis, epochMillis, hours } from "@reveille/wakeup";

import { daysUntil } from "./credentials.ts";
import { about, type Finding } from "./finding.ts";

/** The certificate a front shows to other servers; times in ms since 1970. */
export interface ServedCertificate {
  readonly startsAt: number;
  readonly expiresAt: number;
  /** As OpenSSL writes them. */
  readonly names: string;
  readonly isForDomain: boolean;
  /** Why Node would not trust it, e.g. `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly trouble: string | undefined;
  /** OIDs of the extended key usage; `undefined` without that extension. */
  readonly purposes: readonly string[] | undefined;
  /** E.g. `TLSv1.3`. */
  readonly protocol: string;
}

/** Those of 90 days are renewed at 30: below that, the renewal does not work. */
const SOON = hours(14 * 24);

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

const RENEW = "renew it, and have the front load it (prosodyctl cert import, then prosodyctl reload)";

/** What other servers will think of it; the worst first. */
export function judgeServed(
  item: string,
  domain: string,
  served: ServedCertificate,
  now: EpochMillis,
): Finding {
  const { ok, warn, fail } = about(item);
  const expiresAt = epochMillis(served.expiresAt);
  if (expiresAt <= now) return fail("the certificate has expired", RENEW);
  if (served.startsAt > now)
    return fail("the certificate is not valid yet", "set the clocks of this host and of the front");
  if (!served.isForDomain) {
    return fail(
      `the certificate is for ${served.names}, not for ${domain}`,
      `have one issued for ${domain}: servers check the region's hostname, not the target of SRV`,
    );
  }
  if (served.trouble !== undefined) {
    return fail(
      `the certificate is not trusted: ${served.trouble}`,
      "serve the whole chain (fullchain.pem) of a public authority; for one of your own, name it by --ca",
    );
  }
  const days = daysUntil(expiresAt, now);
  if (expiresAt - now < SOON) return warn(`the certificate expires in ${days} days`, RENEW);
  if (served.purposes?.includes(SERVER_AUTH) === false) {
    return fail("the certificate is not for servers (extended key usage)", "have one issued with serverAuth");
  }
  if (served.purposes?.includes(CLIENT_AUTH) === false) {
    return warn(
      `valid for ${days} days, but for servers alone (no clientAuth): some servers refuse connections that the front opens`,
      "keep dialback on in the front (dialback in Prosody, mod_s2s_dialback in ejabberd): most of those servers take our name by that instead. Let's Encrypt has issued no other certificates since February 2026",
    );
  }
  return ok(`${served.protocol}, certificate for ${domain}, valid for ${days} days`);
}
