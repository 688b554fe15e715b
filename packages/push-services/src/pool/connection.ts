import { type Clock, type ConnectionState, type Millis, seconds } from "@reveille/wakeup";

import { type OpenWire, type Wire, type WireResult, type WireStream } from "../http2/wire.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Judgement, judgeRefused } from "./judgement.ts";
import { type Passage } from "./passage.ts";
import { type Hold, type Profile } from "./profile.ts";

/** What a connection tells its pool. */
export interface ConnectionListener {
  readonly stateChanged: (connection: Connection, from: ConnectionState, because?: string) => void;
  readonly streamLimitChanged: (limit: number) => void;
  readonly goawayReceived: (reason: string) => void;
  readonly settled: (connection: Connection, passage: Passage, judgement: Judgement) => void;
}

export interface ConnectionOptions {
  readonly id: number;
  readonly openWire: OpenWire;
  /** Absent: the certificate of the TLS connection says who we are. */
  readonly hold: Hold | undefined;
  readonly profile: Profile;
  readonly clock: Clock;
  readonly listener: ConnectionListener;
  /** How many pushes it carries in its life; default a little less than HTTP/2 has streams for. */
  readonly mostPushes?: number;
}

interface Flight {
  readonly passage: Passage;
  readonly sentAt: Millis;
  stream: WireStream | undefined;
}

/** TCP, TLS and the first SETTINGS together. */
const CONNECT_WITHIN = seconds(10);
/** Counted from sending, not from waiting for a free stream. */
const ANSWER_WITHIN = seconds(10);
const DRAIN_WITHIN = seconds(30);
/** More at once gains nothing: 500 answered in 100 ms are 5,000 a second. */
const MOST_STREAMS = 500;
/** A client has 2^30 numbers for its streams (RFC 9113 §5.1.1): enough for some days. */
const MOST_PUSHES = 1_000_000_000;
/** A server says it twice (RFC 9113 §6.8); each is told to people. */
const MOST_GOAWAYS = 8;
/** So many 5xx in a row, and the next server may be the better one. */
const MOST_SERVER_TROUBLES = 5;

/**
 * One connection to a push service: connecting → probing → open → draining → closed. `probing`: one push at a time
 * until our credential is accepted, since Apple allows no more before that.
 */
export class Connection {
  readonly id: number;
  readonly hold: Hold | undefined;
  readonly #profile: Profile;
  readonly #clock: Clock;
  readonly #listener: ConnectionListener;
  readonly #wire: Wire;
  readonly #flights = new Set<Flight>();
  readonly openedAt: Millis;
  #state: ConnectionState = "connecting";
  #stateSince: Millis;
  #proven = false;
  /** Apple has ended the connection because of our credential. */
  #refusedFor: string | undefined;
  #pushesLeft: number;
  #streamLimit = 0;
  readonly #heartbeat: Heartbeat;
  #serverTroubles = 0;
  #goaways = 0;

  constructor(options: ConnectionOptions) {
    const { id, openWire, hold, profile, clock, listener, mostPushes = MOST_PUSHES } = options;
    this.#pushesLeft = mostPushes;
    this.id = id;
    this.hold = hold;
    this.#profile = profile;
    this.#clock = clock;
    this.#listener = listener;
    this.openedAt = this.#stateSince = clock.monotonic();
    this.#heartbeat = new Heartbeat(clock, profile.pingsIdle);
    this.#wire = openWire({
      settings: (limit) => this.#limited(limit),
      goaway: (detail) => this.#goneAway(detail),
      closed: (because) => this.#become("closed", because),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Apple has accepted our credential here. */
  get proven(): boolean {
    return this.#proven;
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  /** How many pushes it may have under way. */
  get slots(): number {
    if (this.#state === "open") return this.#streamLimit;
    return this.#state === "probing" ? Math.min(1, this.#streamLimit) : 0;
  }

  /** Only while there are free slots. */
  send(passage: Passage): void {
    const { path, form, ownHeaders, id } = passage.push;
    const flight: Flight = { passage, sentAt: this.#clock.monotonic(), stream: undefined };
    this.#flights.add(flight);
    flight.stream = this.#wire.request({
      path,
      headers: form.headers,
      ownHeaders: this.hold === undefined ? ownHeaders : ["authorization", this.hold.bearer(), ...ownHeaders],
      body: form.body,
      settle: (result) => this.#settled(flight, result, id),
    });
    this.#pushesLeft -= 1;
    if (this.#pushesLeft === 0) this.drain("it has no streams left");
  }

  /** Sends nothing more; closes when all pushes under way are settled. */
  drain(because: string): void {
    if (this.#state === "draining" || this.#state === "closed") return;
    this.#become("draining", because);
    this.#closeIfDrained();
  }

  /** Ends at once; pushes under way are settled as unanswered. */
  destroy(because: string): void {
    if (this.#state === "closed") return;
    this.#become("closed", because);
    this.#wire.destroy(because);
  }

  /** Pushes have been under way for a while and nothing comes back. */
  get silent(): boolean {
    const [oldest] = this.#flights;
    return this.#heartbeat.isSilent(oldest?.sentAt);
  }

  /** It has been asked whether it is alive, and has not answered yet. */
  get doubtful(): boolean {
    return this.#heartbeat.doubtful;
  }

  /** Enforces all time limits. `suspected`: there is reason to ask whether it is alive. */
  tick(suspected: boolean): void {
    const now = this.#clock.monotonic();
    const age = now - this.#stateSince;
    if (this.#state === "connecting" && age >= CONNECT_WITHIN) {
      this.destroy(`no HTTP/2 connection within ${CONNECT_WITHIN / 1_000} s`);
    } else if (this.#state === "draining" && age >= DRAIN_WITHIN) {
      this.destroy(`not drained within ${DRAIN_WITHIN / 1_000} s`);
    }
    for (const { sentAt, stream } of this.#flights) {
      if (now - sentAt < ANSWER_WITHIN) break;
      stream?.cancel(`no answer within ${ANSWER_WITHIN / 1_000} s`);
    }
    if (this.#state !== "probing" && this.#state !== "open") return;
    const dead = this.#heartbeat.check(suspected, this.#wire.ping);
    if (dead !== undefined) this.destroy(dead);
  }

  #limited(limit: number): void {
    const before = this.#streamLimit;
    this.#streamLimit = Math.min(limit, MOST_STREAMS);
    if (this.#streamLimit !== before) this.#listener.streamLimitChanged(limit);
    if (this.#state === "connecting") this.#become(this.#profile.provesFirst ? "probing" : "open");
  }

  #goneAway(detail: string): void {
    if (this.#state === "closed") return;
    this.#goaways += 1;
    if (this.#goaways > MOST_GOAWAYS) return this.destroy("too many GOAWAYs");
    const { reason, refused } = this.#profile.readGoaway(detail);
    this.#listener.goawayReceived(reason);
    if (refused) this.#refusedFor = reason;
    this.drain(`GOAWAY: ${reason}`);
  }

  #settled(flight: Flight, result: WireResult, id: string): void {
    this.#flights.delete(flight);
    const judgement =
      this.#refusedFor !== undefined && result.kind === "unprocessed"
        ? judgeRefused(this.#refusedFor)
        : this.#profile.judge(result, id, this.#clock.now());
    if (result.kind === "answered") this.#heartbeat.heard();
    this.#serverTroubles = judgement.answer === "trouble" ? this.#serverTroubles + 1 : 0;
    if (judgement.answer === "accepted") this.#prove();
    // One that was refused so on another connection, too, says nothing of this one.
    const { repeats, blamed } = flight.passage;
    if (judgement.leaveBecause !== undefined && repeats === 0 && !blamed) this.drain(judgement.leaveBecause);
    if (this.#serverTroubles >= MOST_SERVER_TROUBLES) this.drain("too many troubles of the server");
    this.#closeIfDrained();
    this.#listener.settled(this, flight.passage, judgement);
  }

  #closeIfDrained(): void {
    if (this.#state === "draining" && this.#flights.size === 0) this.#wire.close();
  }

  #prove(): void {
    this.#proven = true;
    if (this.#state === "probing") this.#become("open");
  }

  #become(state: ConnectionState, because?: string): void {
    if (this.#state === state) return;
    const from = this.#state;
    this.#state = state;
    this.#stateSince = this.#clock.monotonic();
    this.#listener.stateChanged(this, from, because);
  }
}
