import { serverIdentity } from "../certificate/server-identity.ts";
import { systemClock } from "../clock.ts";
import { ConnectFaultQueue } from "../faults/connect-faults.ts";
import { type Latency, sampleLatency } from "../latency.ts";
import { type ApnsSimulatorOptions } from "../options.ts";
import { seededRandom } from "../random.ts";
import { Listener } from "../server/listener.ts";
import { Counters, type Stats } from "../stats.ts";
import { serveConnection } from "./serve-connection.ts";

/** What of a simulator's options has a meaning here. */
export type ThroughputOptions = Pick<
  ApnsSimulatorOptions,
  "host" | "port" | "tls" | "names" | "seed" | "clock"
> & {
  /** Default 1,000, from the first push on. */
  readonly streamLimit?: number;
  /** Sampled once for all requests that arrive in one read. Default none. */
  readonly latency?: Latency;
};

/** A server that answers 200 and counts: no validation, no ledger, no faults. */
export interface ThroughputServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** What clients must trust, as PEM. */
  readonly ca: string;
  readonly stats: () => Stats;
}

/** Resolves when the server accepts connections; rejects if it cannot listen. */
export async function startThroughputServer(options: ThroughputOptions = {}): Promise<ThroughputServer> {
  const { clock = systemClock, streamLimit = 1_000, latency } = options;
  const { ca, key, cert } = serverIdentity(options);
  const random = seededRandom(options.seed ?? 1);
  const counters = new Counters();
  const due = (requests: number): Promise<void> | undefined => {
    counters.pushes += requests;
    const wait = latency === undefined ? 0 : sampleLatency(latency, random);
    return wait > 0 ? clock.sleep(wait) : undefined;
  };
  const listener = new Listener({
    host: options.host ?? "127.0.0.1",
    key,
    cert,
    clientCa: undefined,
    faults: new ConnectFaultQueue(),
    clock,
    onConnection: (socket) => {
      counters.connectionsOpened += 1;
      serveConnection(socket, { streamLimit, due });
    },
    onHandshakeFailed: () => (counters.handshakesFailed += 1),
  });
  const port = await listener.open(options.port ?? 0);
  return {
    port,
    url: `https://localhost:${port}`,
    ca,
    stats: () => ({ ...counters.snapshot(), answers: { "200": counters.pushes } }),
    [Symbol.asyncDispose]: async () => listener.close(),
  };
}
