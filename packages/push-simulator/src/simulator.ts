import { type Socket } from "node:net";
import { type TLSSocket } from "node:tls";

import { serverIdentity } from "./certificate/server-identity.ts";
import { type SimulatorClock, systemClock } from "./clock.ts";
import { DeviceRegistry, type Devices } from "./devices/devices.ts";
import { type ErrorCode, errorNumber } from "./error-code.ts";
import { ConnectFaultQueue, type ConnectFaults } from "./faults/connect-faults.ts";
import { type Goaway } from "./faults/goaway.ts";
import { RuleBook, type Rules } from "./faults/rules.ts";
import { type Ledger, PushLedger } from "./ledger.ts";
import { type ApnsSimulatorOptions } from "./options.ts";
import { seededRandom } from "./random.ts";
import { type ConnectionView } from "./server/connection.ts";
import { Connections } from "./server/connections.ts";
import { Listener } from "./server/listener.ts";
import { openSession } from "./server/open-session.ts";
import { PushService } from "./server/push-service.ts";
import { type Behaviour, DEFAULT_BEHAVIOUR } from "./settings.ts";
import { Counters, type Stats } from "./stats.ts";
import { clientCertificateOf } from "./validation/client-certificate.ts";
import { ProviderTokens } from "./validation/provider-token.ts";
import { type Validation } from "./validation/validate.ts";

/** A running simulator. Disposing it stops it. */
export interface ApnsSimulator extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `https://localhost:<port>` */
  readonly url: string;
  /** What clients must trust, as PEM. */
  readonly ca: string;
  readonly devices: Devices;
  readonly rules: Rules;
  readonly connectFaults: ConnectFaults;
  readonly ledger: Ledger;
  readonly stats: () => Stats;
  /** All connections since the start or the last reset, the closed ones included, oldest first. */
  readonly connections: readonly ConnectionView[];
  readonly behaviour: Behaviour;
  /** Changes behaviour from now on; a new `streamLimit` is announced at once where the first push is through. */
  readonly change: (behaviour: Partial<Behaviour>) => void;
  readonly goaway: (goaway?: Goaway) => void;
  /** Answers all pushes in flight with 503 Shutdown and says goodbye. */
  readonly shutdown: (connection?: number) => void;
  /** RST_STREAM for everything in flight. */
  readonly resetStreams: (code?: ErrorCode, connection?: number) => void;
  /** TCP RST. */
  readonly resetConnections: (connection?: number) => void;
  /** Stops reading and writing, as a stopped process: no answer, no PONG, no FIN. */
  readonly freeze: (connection?: number) => void;
  readonly thaw: (connection?: number) => void;
  /** Forgets devices, rules, faults, ledger, counts and changed behaviour; open connections stay. */
  readonly reset: () => void;
  /** Closes the port and all connections; what was recorded stays. */
  readonly stop: () => Promise<void>;
  /** Listens again, on the same port. */
  readonly start: () => Promise<void>;
}

/** Resolves when the simulator accepts connections; rejects if it cannot listen. */
export async function startApnsSimulator(options: ApnsSimulatorOptions = {}): Promise<ApnsSimulator> {
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

class Simulator implements ApnsSimulator {
  readonly host: string;
  readonly ca: string;
  readonly devices: DeviceRegistry;
  readonly rules: RuleBook;
  readonly connectFaults = new ConnectFaultQueue();
  readonly ledger: PushLedger;
  behaviour: Behaviour;
  port: number;
  readonly #options: ApnsSimulatorOptions;
  readonly #clock: SimulatorClock;
  readonly #validation: Validation;
  readonly #counters = new Counters();
  readonly #service: PushService;
  readonly #listener: Listener;
  readonly #connections = new Connections();
  #lastConnection = 0;

  constructor(options: ApnsSimulatorOptions) {
    const { environment = "production", unknownTokens = "accept", tokenBytes, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.host = options.host ?? "127.0.0.1";
    this.port = options.port ?? 0;
    this.behaviour = { ...DEFAULT_BEHAVIOUR, ...options.behaviour };
    const random = seededRandom(options.seed ?? 1);
    this.devices = new DeviceRegistry(
      { environment, unknownTokens, ...(tokenBytes === undefined ? {} : { tokenBytes }) },
      clock,
    );
    this.rules = new RuleBook(random);
    this.ledger = new PushLedger(options.ledgerLimit ?? 100_000);
    this.#validation = {
      topics: options.topics,
      authentication: {
        environment,
        tokens: new ProviderTokens(options.keys ?? []),
        limitTokensOf: options.limitTokensOf ?? "connection",
        seen: new Map(),
      },
    };
    this.#service = new PushService({
      behaviour: () => this.behaviour,
      validation: this.#validation,
      devices: this.devices,
      rules: this.rules,
      ledger: this.ledger,
      counters: this.#counters,
      clock,
      random,
    });
    const identity = serverIdentity(options);
    this.ca = identity.ca;
    this.#listener = new Listener({
      host: this.host,
      key: identity.key,
      cert: identity.cert,
      clientCa: options.clientCa,
      faults: this.connectFaults,
      clock,
      onConnection: (socket, raw) => this.#connected(socket, raw),
      onHandshakeFailed: () => (this.#counters.handshakesFailed += 1),
    });
  }

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  get connections(): readonly ConnectionView[] {
    return this.#connections.views;
  }

  readonly stats = (): Stats => this.#counters.snapshot();

  readonly change = (behaviour: Partial<Behaviour>): void => {
    this.behaviour = { ...this.behaviour, ...behaviour };
    if (behaviour.streamLimit === undefined) return;
    for (const connection of this.#connections.which()) {
      if (connection.welcome) connection.limitStreams(behaviour.streamLimit);
    }
  };

  readonly goaway = ({ connection, ...goaway }: Goaway = {}): void => {
    for (const one of this.#connections.which(connection)) one.goaway(goaway);
  };

  readonly shutdown = (connection?: number): void => {
    for (const one of this.#connections.which(connection)) {
      this.#service.shutDown(one);
      one.goaway({ reason: "Shutdown" });
    }
  };

  readonly resetStreams = (code: ErrorCode = "INTERNAL_ERROR", connection?: number): void => {
    for (const one of this.#connections.which(connection)) one.resetStreams(errorNumber(code));
  };

  readonly resetConnections = (connection?: number): void => {
    for (const one of this.#connections.which(connection)) one.reset();
  };

  readonly freeze = (connection?: number): void => {
    for (const one of this.#connections.which(connection)) one.freeze();
  };

  readonly thaw = (connection?: number): void => {
    for (const one of this.#connections.which(connection)) one.thaw();
  };

  readonly reset = (): void => {
    this.devices.clear();
    this.rules.clear();
    this.connectFaults.clear();
    this.ledger.clear();
    this.#counters.clear();
    this.#validation.authentication.seen.clear();
    this.#connections.forgetClosed();
    this.change({ ...DEFAULT_BEHAVIOUR, ...this.#options.behaviour });
  };

  readonly start = async (): Promise<void> => {
    this.port = await this.#listener.open(this.port);
  };

  readonly stop = async (): Promise<void> => this.#listener.close();

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #connected(socket: TLSSocket, raw: Socket): void {
    this.#lastConnection += 1;
    this.#counters.connectionsOpened += 1;
    const { environment } = this.#validation.authentication;
    const servername = typeof socket.servername === "string" ? socket.servername : undefined;
    const arrival = {
      id: this.#lastConnection,
      openedAt: this.#clock.now(),
      remotePort: raw.remotePort ?? 0,
      servername,
      alpn: socket.alpnProtocol === "h2",
      identity: { certificate: clientCertificateOf(socket, environment) },
    };
    const connection = openSession(socket, raw, arrival, {
      behaviour: () => this.behaviour,
      onRequest: (from, stream, request) => void this.#service.receive(from, stream, request),
      onExcessStream: () => (this.#counters.excessStreams += 1),
      onClose: (closed) => this.#connections.closed(closed),
    });
    this.#connections.add(connection);
  }
}
