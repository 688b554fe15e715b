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
}

const EVERY = minutes(1);
const WITHIN = seconds(5);

/**
 * Looks at the certificates that the fronts serve, at once and then every minute, until it is disposed. Not at their
 * files: a front that has not read the new one goes on serving the old.
 */
export function watchFrontCertificates(options: FrontCertificatesOptions): FrontCertificates {
  const stop = new AbortController();
  const expiries = new Map<string, EpochMillis>();
  const looking = keepLooking(options, expiries, stop.signal);
  return {
    firstExpiry: () => [...expiries.values()].toSorted((one, other) => one - other)[0],
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await looking;
    },
  };
}

async function keepLooking(
  { fronts, domain, clock, observe }: FrontCertificatesOptions,
  expiries: Map<string, EpochMillis>,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    await Promise.all(
      fronts.map(async (address) => {
        const front = `${address.host}:${address.port}`;
        const seen = await servedCertificate(address, domain, AbortSignal.any([stop, timeout(clock, stop)]));
        if (stop.aborted) return;
        expiries.set(front, seen.expiresAt ?? epochMillis(0));
        observe({ kind: "front-certificate-seen", front, ...seen });
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
}

const none = (because: string): Served => ({ expiresAt: undefined, because });

/** Never rejects. Who has signed it is not our affair here: users' servers have authorities of their own. */
function servedCertificate({ host, port }: Address, domain: string, signal: AbortSignal): Promise<Served> {
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
      if (certificate?.checkHost(domain) === undefined) end(none("it is for another name"));
      else end({ expiresAt: epochMillis(certificate.validToDate.getTime()) });
    });
  });
}
