import {
  type Clock,
  type ConnectionState,
  type Health,
  type Millis,
  millis,
  type Observe,
  seconds,
} from "@reveille/wakeup";

import { type OpenWire } from "../http2/wire.ts";
import { ConnectPace } from "./connect-pace.ts";
import { Connection } from "./connection.ts";
import { type Judgement } from "./judgement.ts";
import { type Passage } from "./passage.ts";
import { type Hold, type Profile } from "./profile.ts";

export interface FleetOptions {
  /** In events: environment, host and id of the credential. */
  readonly name: string;
  readonly openWire: OpenWire;
  /** Absent: the certificate of the TLS connection says who we are. */
  readonly newHold: (() => Hold) | undefined;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly observe: Observe;
  /** From 0 to below 1, for jitter. */
  readonly random: () => number;
}

/** What a fleet tells its pool. */
export interface FleetListener {
  readonly settled: (connection: Connection, passage: Passage, judgement: Judgement) => void;
  /** Slots may have come free, or a connection has gone. */
  readonly changed: () => void;
}

/** Two, so that one may end without anybody waiting. */
const LEAST_CONNECTIONS = 2;
/** Apple asks for several connections where there is much to send; this is some 4,000 pushes under way. */
const MOST_CONNECTIONS = 8;
/** A lower stream limit is Apple asking us to slow down: more connections would be the wrong answer. */
const GROW_FROM_SLOTS = 100;
/** What lives shorter and never got an answer counts as a failed attempt. */
const SHORTEST_LIFE = seconds(10);
/** So many rounds of failed attempts, some 4 s, and nobody should wait for the next. */
const DOWN_AFTER_FAILURES = 3;

/** The connections of a pool: opens, replaces and counts them. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #listener: FleetListener;
  readonly #pace: ConnectPace;
  readonly #connections = new Set<Connection>();
  #lastId = 0;
  #closing = false;
  /** Why a connection was last lost, or not got. */
  #trouble: string | undefined;

  constructor(options: FleetOptions, listener: FleetListener) {
    this.#options = options;
    this.#listener = listener;
    this.#pace = new ConnectPace(options.random);
  }

  get size(): number {
    return this.#connections.size;
  }

  get inFlight(): number {
    return sum(this.#connections, (connection) => connection.inFlight);
  }

  get freeSlots(): number {
    return sum(this.#connections, freeOf);
  }

  get health(): Health {
    if (this.#count(isUsable) > 0) return { kind: "ready" };
    return this.#trouble === undefined ? { kind: "starting" } : { kind: "failing", because: this.#trouble };
  }

  /** Set while no connection can be had, until the next attempt at the earliest. */
  get down(): { readonly because: string; readonly retryAfter: Millis } | undefined {
    if (this.#pace.failures < DOWN_AFTER_FAILURES || this.#count(isUsable) > 0) return undefined;
    const pause = this.#pace.pause(this.#options.clock.monotonic());
    return { because: this.#trouble ?? "no connection", retryAfter: millis(Math.max(seconds(1), pause)) };
  }

  /** The least busy connection with a free slot; a doubtful one or `tried` only if there is no other. */
  pick(tried: number | undefined): Connection | undefined {
    let best: Connection | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections) {
      if (freeOf(connection) <= 0) continue;
      const reluctance = (connection.id === tried ? 1 : 0) + (connection.doubtful ? 1 : 0);
      const busy = connection.inFlight / connection.slots + reluctance;
      if (busy >= least) continue;
      best = connection;
      least = busy;
    }
    return best;
  }

  /** Enforces time limits and opens what is missing. `wanted`: pushes are waiting. */
  tick(wanted: boolean): void {
    // What has silenced one connection may have silenced all: the idle ones are asked as well.
    const suspected = this.#count((one) => one.silent) > 0;
    for (const connection of this.#connections) connection.tick(suspected);
    this.fill(wanted);
    this.#retireOld();
  }

  /** Make before break: only once others can do the work. */
  #retireOld(): void {
    if (this.#count((one) => isUsable(one) && !isOld(one)) < LEAST_CONNECTIONS) return;
    for (const one of this.#connections) {
      if (isOld(one)) one.drain("it gets too old");
    }
  }

  /** Opens the connections that are missing, as far as the pace allows. */
  fill(wanted: boolean): void {
    const now = this.#options.clock.monotonic();
    while (this.#isShort(wanted) && this.#pace.pause(now) === 0) {
      this.#pace.attempted(now);
      this.#open();
    }
  }

  /** Opens no more connections, and closes each as soon as nothing is under way on it. */
  drain(because: string): void {
    this.#closing = true;
    for (const connection of this.#connections) connection.drain(because);
  }

  destroy(because: string): void {
    for (const connection of this.#connections) connection.destroy(because);
  }

  #isShort(wanted: boolean): boolean {
    if (this.#closing) return false;
    const lasting = this.#count((one) => one.state !== "draining" && !isOld(one));
    if (lasting < LEAST_CONNECTIONS) return true;
    if (!wanted || lasting >= MOST_CONNECTIONS) return false;
    // A connection on its way will bring slots soon, and a draining one is about to be replaced.
    return this.#count((one) => one.state !== "open" || one.slots < GROW_FROM_SLOTS || freeOf(one) > 0) === 0;
  }

  #open(): void {
    const { clock, newHold, profile, openWire, observe, name: pool } = this.#options;
    this.#lastId += 1;
    const connection = new Connection({
      id: this.#lastId,
      openWire,
      hold: newHold?.(),
      profile,
      clock,
      listener: {
        stateChanged: (one, from, because) => this.#stateChanged(one, from, because),
        streamLimitChanged: (limit) => {
          observe({ kind: "stream-limit-changed", pool, limit });
          this.#listener.changed();
        },
        goawayReceived: (reason) => observe({ kind: "goaway-received", pool, reason }),
        settled: this.#listener.settled,
      },
    });
    this.#connections.add(connection);
    observe({ kind: "connection-state-changed", pool, from: undefined, to: "connecting" });
  }

  #stateChanged(connection: Connection, from: ConnectionState, because: string | undefined): void {
    const { observe, name: pool, clock } = this.#options;
    const to = connection.state;
    observe({
      kind: "connection-state-changed",
      pool,
      from,
      to,
      ...(because === undefined ? {} : { because }),
    });
    if (to === "draining" || to === "closed") this.#trouble = because;
    if (to === "closed") this.#connections.delete(connection);
    const now = clock.monotonic();
    const lasted = connection.proven || (from !== "connecting" && now - connection.openedAt >= SHORTEST_LIFE);
    if (lasted) this.#pace.succeeded();
    else if (to === "closed") this.#pace.failed(now);
    this.#listener.changed();
  }

  #count(which: (connection: Connection) => boolean): number {
    return sum(this.#connections, (connection) => (which(connection) ? 1 : 0));
  }
}

const isUsable = ({ state }: Connection): boolean => state === "probing" || state === "open";
const isOld = ({ hold }: Connection): boolean => hold?.tooOld === true;
const freeOf = (connection: Connection): number => Math.max(0, connection.slots - connection.inFlight);

function sum(connections: Iterable<Connection>, valueOf: (connection: Connection) => number): number {
  let total = 0;
  for (const connection of connections) total += valueOf(connection);
  return total;
}
