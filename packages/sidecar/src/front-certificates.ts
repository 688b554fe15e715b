import { connect } from "node:tls";

import {
  type Clock,
  type EpochMillis,
  epochMillis,
  minutes,
  networkTrouble,
  type Observe,
  seconds,
} from "@reveille/wakeup";

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface FrontCertificatesOptions {
  /** Where fronts serve s2s with direct TLS (XEP-0368). */
  readonly fronts: readonly Address[];
  /** The name that users' servers ask for. */
  readonly domain: string;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What is known of them. Disposing stops looking. */
export interface FrontCertificates extends AsyncDisposable {
  /** From memory; 0 if a front serves none for our name, `undefined` before the first look. */
  readonly firstExpiry: () => EpochMillis | undefined;
  /**
   * Why users' servers refuse a certificate that a front serves: it expired, is not valid yet, or is for another name. A front
   * that cannot be asked is none of that. From memory.
   */
  readonly trouble: () => string | undefined;
}

const EVERY = minutes(1);
const WITHIN = seconds(5);

/**
 * Looks at the certificates that the fronts serve, at once and then every minute, until it is disposed. Not at their
 * files: a front that has not read the new one goes on serving the old.
 */
export function watchFrontCertificates(options: FrontCertificatesOptions): FrontCertificates {
  const stop = new AbortController();
  const seen = new Map<string, Served>();
  const looking = keepLooking(options, seen, stop.signal);
  const expiryOf = ({ expiresAt }: Served): EpochMillis => expiresAt ?? epochMillis(0);
  return {
    firstExpiry: () => [...seen.values()].map(expiryOf).toSorted((one, other) => one - other)[0],
    trouble: () =>
      [...seen].flatMap(([front, served]) => {
        const words = refusalOf(served, options.clock.now());
        return words === undefined ? [] : [`the certificate of front ${front} ${words}`];
      })[0],
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await looking;
    },
  };
}

async function keepLooking(
  { fronts, domain, clock, observe }: FrontCertificatesOptions,
  known: Map<string, Served>,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    await Promise.all(
      fronts.map(async (address) => {
        const front = `${address.host}:${address.port}`;
        const seen = await servedCertificate(
          address,
          { domain, clock },
          AbortSignal.any([stop, timeout(clock, stop)]),
        );
        if (stop.aborted) return;
        known.set(front, seen);
        const { expiresAt, because } = seen;
        const why = because === undefined ? {} : { because };
        observe({ kind: "front-certificate-seen", front, expiresAt, ...why });
      }),
    );
    await clock.sleep(EVERY, stop);
  }
}

function timeout(clock: Clock, stop: AbortSignal): AbortSignal {
  const late = new AbortController();
  void clock.sleep(WITHIN, stop).then(() => late.abort());
  return late.signal;
}

interface Served {
  readonly expiresAt: EpochMillis | undefined;
  readonly because?: string;
  /** The front showed a certificate, and users' servers refuse it. */
  readonly isRefused?: boolean;
}

/** How long a certificate has been expired, for people. */
export function expiredFor(expiresAt: number, now: number): string {
  const hours = Math.floor((now - expiresAt) / 3_600_000);
  const days = Math.floor(hours / 24);
  const [count, unit] = days > 0 ? [days, "day"] : [hours, "hour"];
  return count === 0 ? "expired just now" : `expired ${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

function refusalOf({ expiresAt, because, isRefused }: Served, now: number): string | undefined {
  if (isRefused === true) return because;
  return expiresAt !== undefined && expiresAt <= now ? expiredFor(expiresAt, now) : undefined;
}

const none = (because: string): Served => ({ expiresAt: undefined, because });

/** Never rejects. Who has signed it is not our affair here: users' servers have authorities of their own. */
function servedCertificate(
  { host, port }: Address,
  { domain, clock }: Pick<FrontCertificatesOptions, "domain" | "clock">,
  signal: AbortSignal,
): Promise<Served> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      servername: domain,
      ALPNProtocols: ["xmpp-server"],
      rejectUnauthorized: false,
    });
    const end = (served: Served): void => {
      resolve(served);
      socket.destroy();
    };
    signal.addEventListener("abort", () => end(none("no answer within 5 s")), { once: true });
    socket.on("error", (error: Error) => end(none(networkTrouble(error))));
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate?.checkHost(domain) === undefined) {
        end({ ...none("is for another name"), isRefused: certificate !== undefined });
      } else if (certificate.validFromDate.getTime() > clock.now()) {
        const from = certificate.validFromDate.toISOString().slice(0, 10);
        end({ ...none(`is not valid before ${from}`), isRefused: true });
      } else end({ expiresAt: epochMillis(certificate.validToDate.getTime()) });
    });
  });
}
