import { NOT_OFFERED, targetsOf, type Target } from "./dns.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { type Check, type DoctorContext } from "./doctor-context.ts";
import { judgeServed } from "./served-certificate.ts";
import { openTls, type S2sAddress } from "./s2s-tls.ts";

/** How users' servers reach each hostname of ours: SRV, addresses, TLS and certificate of every target. */
export const checkS2s: Check = async (context) => {
  const domains = new Set(context.config.ingress.components.map(({ domain }) => domain));
  const findings = await Promise.all(Array.from(domains, async (domain) => checkDomain(domain, context)));
  return findings.flat();
};

async function checkDomain(domain: string, context: DoctorContext): Promise<readonly Finding[]> {
  try {
    const targets = await targetsOf(domain, context);
    const offered = targets.filter(({ host }) => host !== NOT_OFFERED);
    const isSingle = context.config.ingress.components.filter((one) => one.domain === domain).length === 1;
    const served = await Promise.all(offered.map(async (target) => serve(domain, target, context)));
    return [...judgeTargets(domain, targets, isSingle), ...served.flat()];
  } catch (error) {
    return [
      about(`DNS of ${domain}`).fail(
        `no answer: ${reasonOf(error)}`,
        "correct the name servers of this host (/etc/resolv.conf), or name others by --dns",
      ),
    ];
  }
}

/** What the records themselves say. `isSingle`: the region has one host, and so one target. */
export function judgeTargets(
  domain: string,
  targets: readonly Target[],
  isSingle = false,
): readonly Finding[] {
  const srv = (tls: Target["tls"]): readonly Target[] => targets.filter((target) => target.tls === tls);
  const addresses = targets.filter(({ host }) => host !== NOT_OFFERED).map(judgeAddresses);
  return [judgeSrv(domain, srv("starttls"), isSingle), judgeDirect(domain, srv("direct")), ...addresses];
}

function judgeSrv(domain: string, targets: readonly Target[], isSingle: boolean): Finding {
  const name = `_xmpp-server._tcp.${domain}`;
  const { ok, warn, fail } = about(`SRV ${name}`);
  if (targets.length === 0) {
    return fail(
      "no record: servers cannot find us, and some forget registrations because of it",
      `publish: ${name}. 300 IN SRV 10 0 5269 <host>. — one for each host`,
    );
  }
  if (targets.some(({ host }) => host === NOT_OFFERED)) {
    return fail(
      "its target is `.`, which means: not offered here. Servers do not connect",
      `replace it: ${name}. 300 IN SRV 10 0 5269 <host>. — one for each host`,
    );
  }
  const names = targets.map(({ host, port }) => `${host}:${port}`).join(", ");
  if (isSingle) return ok(`${names}: the only host of this region`);
  if (new Set(targets.map(({ host }) => host)).size > 1) return ok(names);
  return warn(
    `${names} alone: nobody takes over when this host dies`,
    "publish a second target with a higher priority number",
  );
}

function judgeDirect(domain: string, targets: readonly Target[]): Finding {
  const name = `_xmpps-server._tcp.${domain}`;
  const { ok, warn } = about(`SRV ${name}`);
  if (targets.some(({ host }) => host === NOT_OFFERED)) {
    return ok("its target is `.`: direct TLS is not offered here, so servers use STARTTLS");
  }
  if (targets.length > 0) return ok(targets.map(({ host, port }) => `${host}:${port}`).join(", "));
  return warn(
    "no record: servers that prefer direct TLS use STARTTLS",
    `publish: ${name}. 300 IN SRV 110 0 5270 <host>.`,
  );
}

function judgeAddresses({ host, ipv4, ipv6, tls }: Target): Finding {
  const { ok, warn, fail } = about(`address of ${host} (${tls})`);
  if (ipv4.length === 0 && ipv6.length === 0) {
    return fail("no A and no AAAA record", `publish A and AAAA records for ${host}`);
  }
  const all = [...ipv4, ...ipv6].join(", ");
  if (ipv4.length === 0)
    return warn(`${all}: servers without IPv6 cannot reach it`, `publish an A record for ${host}`);
  return ipv6.length === 0 ? ok(`${all} (no AAAA)`) : ok(all);
}

/** What each address of a target shows: a server takes any of them. */
async function serve(domain: string, target: Target, context: DoctorContext): Promise<readonly Finding[]> {
  const { host, port, tls, ipv4, ipv6 } = target;
  const item = `s2s ${tls === "direct" ? "direct TLS" : "STARTTLS"} at ${host}:${port}`;
  const addresses = [...ipv4, ...ipv6];
  if (addresses.length === 0) return [about(item).skipped("it has no address")];
  return Promise.all(
    addresses.map(async (address) =>
      serveAt(
        addresses.length === 1 ? item : `${item} (${address})`,
        { domain, address, port, tls },
        context,
      ),
    ),
  );
}

async function serveAt(item: string, to: S2sAddress, context: DoctorContext): Promise<Finding> {
  try {
    return judgeServed(item, to.domain, await openTls(to, context), context.clock.now());
  } catch (error) {
    const code = codeOf(error);
    if (NO_WAY.has(code)) return about(item).skipped("this host has no way to that address");
    if (NO_CERTIFICATE.test(code)) {
      return about(item).fail(
        `no TLS: it answers as one that has no certificate for ${to.domain}`,
        `have the front find one: prosodyctl --root cert import /etc/letsencrypt/live, then systemctl reload prosody; for ejabberd \`certfiles\``,
      );
    }
    return about(item).fail(
      reasonOf(error),
      `let HAProxy listen on port ${to.port}, and the front behind it (s2s_ports, s2s_direct_tls_ports); open it in the firewall`,
    );
  }
}

/** What the system or OpenSSL calls it. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/** What a server says that finds none to show. */
const NO_CERTIFICATE = /ALERT_HANDSHAKE_FAILURE$/;

/** A machine without IPv6 cannot tell what others meet there. */
const NO_WAY: ReadonlySet<string> = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"]);
