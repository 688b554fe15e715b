import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { type Clock, seconds } from "@reveille/wakeup";

import { withTimeout } from "../with-timeout.ts";

/** A server of one of HAProxy's backends. */
export interface Server {
  readonly backend: string;
  readonly name: string;
  /** E.g. `UP`, `UP 1/2`, `DRAIN`, `DOWN`, `no check`. */
  readonly status: string;
}

/** A connection that HAProxy passes on. */
export interface Passed {
  /** As HAProxy calls it, e.g. `0x55d1c0a2b3f0`. */
  readonly id: string;
  readonly backend: string;
  readonly server: string;
  /** Passed so far, both ways together. */
  readonly bytes: number;
}

const ANSWERS_WITHIN = seconds(5);

/** HAProxy's own command socket (its management guide, §9.3). Everything rejects when nobody answers there. */
export class Haproxy {
  readonly #socketPath: string;
  readonly #clock: Clock;

  constructor(socketPath: string, clock: Clock) {
    this.#socketPath = socketPath;
    this.#clock = clock;
  }

  async servers(): Promise<readonly Server[]> {
    return serversIn(await this.#ask("show stat"));
  }

  async passed(): Promise<readonly Passed[]> {
    return passedIn(await this.#ask("show sess all"));
  }

  /** A server that is drained gets no new connections and keeps those it has; `ready` ends that. */
  async set(server: Server, state: "drain" | "ready"): Promise<void> {
    const answer = await this.#ask(`set server ${server.backend}/${server.name} state ${state}`);
    if (answer.trim() !== "") throw new Error(`HAProxy refuses to set ${server.name}: ${answer.trim()}`);
  }

  /** Closes connections at both ends. One that has ended meanwhile is no error. */
  async close(connections: readonly Passed[]): Promise<void> {
    await this.#ask(connections.map(({ id }) => `shutdown session ${id}`).join(";"));
  }

  async #ask(commands: string): Promise<string> {
    return withTimeout({ clock: this.#clock, timeout: ANSWERS_WITHIN }, async (signal) => {
      const socket = connect({ path: this.#socketPath, signal });
      // Not ended: HAProxy takes that for the wish to break off. It closes by itself.
      socket.write(`${commands}\n`);
      return text(socket);
    });
  }
}

/** Of a row's `type`; the others are frontends, and the sums of backends (management guide, §9.1). */
const IS_SERVER = "2";

/** Reads a table whose first line, after a `#`, names its columns. */
function serversIn(csv: string): readonly Server[] {
  const [head = [], ...rows] = csv
    .replace("# ", "")
    .split("\n")
    .map((line) => line.split(","));
  return rows.flatMap((row) => {
    const valueOf = (column: string): string => row[head.indexOf(column)] ?? "";
    const server = { backend: valueOf("pxname"), name: valueOf("svname"), status: valueOf("status") };
    return valueOf("type") === IS_SERVER ? [server] : [];
  });
}

/** Each begins with its id at the start of a line, and says in further ones where it goes and what each way had. */
function passedIn(dump: string): readonly Passed[] {
  return dump.split(/^(?=0x)/m).flatMap((one) => {
    const [, id] = /^(0x[0-9a-f]+):/.exec(one) ?? [];
    const [, backend] = /^ *backend=(\S+) /m.exec(one) ?? [];
    const [, server] = /^ *server=(\S+) /m.exec(one) ?? [];
    if (id === undefined || backend === undefined || server === undefined) return [];
    const totals = [...one.matchAll(/\btotal=(\d+)/g)].map(([, total]) => Number(total));
    return [{ id, backend, server, bytes: totals.reduce((sum, total) => sum + total, 0) }];
  });
}
