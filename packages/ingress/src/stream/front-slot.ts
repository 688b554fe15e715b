import {
  type Clock,
  type ComponentState,
  type Health,
  type Millis,
  millis,
  type Observe,
  seconds,
} from "@reveille/wakeup";

import { type Stanza } from "../stanza.ts";
import { type StanzaLimits } from "../stream-reader.ts";
import { ComponentStream, type StreamEnd } from "./component-stream.ts";
import { type Front } from "./front.ts";
import { SelfPing } from "./self-ping.ts";
import { type StreamGroup } from "./stream-group.ts";

export interface SlotOptions {
  readonly front: Front;
  /** Whether the front is that of our host; at any other we stand in for its ingress. */
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly limits: StanzaLimits;
  /** The streams of the component. */
  readonly group: StreamGroup;
  /** While we stand by: whether whoever has the place shows signs of life. */
  readonly isStoodInFor: () => boolean;
  /** While we stand in: whether the ingress of that host is there again. */
  readonly isWantedBack: () => boolean;
  readonly onStanza: (stanza: Stanza, slot: FrontSlot) => void;
}

/** After this the sender has given up waiting (32 s on ejabberd and MongooseIM). */
const REPLY_WITHIN = seconds(25);

/** Replies kept while the front is away; about 5,000. */
const MAX_UNSENT = 1 << 20;

/** Long enough for another ingress to take the place; it tries every 1 to 2 s. */
const RELEASED_FOR = seconds(3);

/** How often a stand-in looks whether it is wanted. */
const GIVE_BACK_WITHIN = seconds(1);

const NOTHING = /(?:)/;

const FROZEN_OUT: Health = {
  kind: "failing",
  because: "another ingress has the place and shows no sign of life",
};

/**
 * Bytes of replies that leave at once when we come back to answer what came while we were leaving. Prosody reads 4,096
 * at a time (`network_default_read_size`) and handles them in one turn: when the handshake, the replies and the end of
 * the stream come together, it routes nothing more to us. Of more than that it would between two reads.
 */
const PARTING_BYTES = 3_900;
/** The last replies have left by then, or the front does not take them. */
const PART_WITHIN = seconds(6);

interface StreamPart {
  readonly onActive: () => void;
  readonly parting?: string;
}

/**
 * Our place at one front: connects, keeps connected, and holds replies while the connection is away. If
 * another ingress has the place (`conflict`), we stand by and try again every 1 to 2 s.
 */
export class FrontSlot {
  readonly #options: SlotOptions;
  readonly #stop = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #stream: ComponentStream | undefined;
  #state: ComponentState = "connecting";
  #because = "";
  #looped = false;
  #unsent: string[] = [];
  #unsentLength = 0;
  #unsentSince = millis(0);

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#tell("connecting");
    this.#running = this.#run();
  }

  /** Resolves when the first attempt has succeeded or failed. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  get isOwn(): boolean {
    return this.#options.isOwn;
  }

  get isStandingBy(): boolean {
    return this.#state === "standby";
  }

  /** Connected, and the front passes stanzas on. */
  get isServing(): boolean {
    return this.#state === "active" && this.#looped;
  }

  get health(): Health {
    switch (this.#state) {
      case "connecting":
        return { kind: "starting" };
      case "active":
        return { kind: this.#looped ? "ready" : "starting" };
      case "standby":
        return this.#options.isStoodInFor() ? { kind: "ready" } : FROZEN_OUT;
      case "down":
        return { kind: "failing", because: this.#because };
    }
  }

  /** Sends stanzas, all of one turn in one write. Kept for a while when the front is away. */
  send(xml: string): void {
    if (this.#unsent.length === 0) {
      this.#unsentSince = this.#options.clock.monotonic();
      queueMicrotask(() => this.#flush());
    }
    if (this.#state !== "active" && this.#unsentLength >= MAX_UNSENT) return;
    this.#unsent.push(xml);
    this.#unsentLength += xml.length;
  }

  /** Leaves the place to another ingress for a while. What the front sends meanwhile must be answered at once. */
  async release(): Promise<void> {
    if (this.#state === "active") await this.#leaveProperly();
  }

  /** Leaves the place for good. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#leaveProperly();
    await this.#running;
  }

  async #leaveProperly(): Promise<void> {
    this.#flush();
    await this.#stream?.close();
    const { clock } = this.#options;
    const deadline = clock.monotonic() + PART_WITHIN;
    while (this.#unsent.length > 0 && clock.monotonic() < deadline) await this.#part();
  }

  /** There is no word for "send me nothing more" in XEP-0114, so we come back with the last answers. */
  async #part(): Promise<void> {
    let bytes = 0;
    const more = this.#unsent.findIndex((xml) => (bytes += Buffer.byteLength(xml)) > PARTING_BYTES);
    const parting = this.#unsent.splice(0, more === -1 ? this.#unsent.length : Math.max(more, 1)).join("");
    this.#unsentLength -= parting.length;
    await this.#connect({ parting, onActive: () => undefined }).ended;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const end = await this.#occupy();
      // A front that accepts us and bounces our ping would else have us back three times a second.
      failures = this.#looped ? 0 : failures + 1;
      this.#left(end);
      await this.#options.clock.sleep(this.#pauseAfter(end, failures), this.#stop.signal);
    }
  }

  async #occupy(): Promise<StreamEnd> {
    const { front, group, clock, observe } = this.#options;
    const ping = new SelfPing({ front, group, clock, observe, onLoop: () => (this.#looped = true) });
    const stream = this.#connect({
      onActive: () => {
        this.#tell("active");
        this.#flush();
        group.join();
        void stream.ended.then(() => group.leave());
        void ping.watch(stream);
        void this.#giveBack(stream);
      },
    });
    this.#stream = stream;
    return stream.ended;
  }

  /** A place at another host's front is borrowed: if we are lost without a word, that front would take nobody else. */
  async #giveBack(stream: ComponentStream): Promise<void> {
    const { isOwn, isWantedBack, clock } = this.#options;
    if (isOwn) return;
    do await clock.sleep(GIVE_BACK_WITHIN, stream.signal);
    while (!stream.signal.aborted && !isWantedBack());
    if (!stream.signal.aborted) await this.release();
  }

  #connect({ onActive, parting }: StreamPart): ComponentStream {
    const { front, clock, limits, group, onStanza } = this.#options;
    return new ComponentStream({
      front,
      clock,
      limits,
      parting,
      onActive,
      onStanza: (stanza) => (group.pending.hears(stanza) ? undefined : onStanza(stanza, this)),
    });
  }

  #left(end: StreamEnd): void {
    this.#looped = false;
    if (end.kind === "conflict") this.#tell("standby");
    else this.#tell("down", end.kind === "lost" ? end.because : "released");
    this.#settled.resolve();
  }

  #flush(): void {
    if (this.#state !== "active" || this.#unsent.length === 0) return;
    const isLate = this.#options.clock.monotonic() - this.#unsentSince > REPLY_WITHIN;
    if (isLate || this.#stream?.send(this.#unsent.join("")) === true) {
      this.#unsent = [];
      this.#unsentLength = 0;
    }
    // V8 keeps the text that a regular expression matched last, which is the newest device token.
    NOTHING.test("");
  }

  #tell(state: ComponentState, because = ""): void {
    const isNews = state !== this.#state || because !== this.#because || state === "connecting";
    this.#state = state;
    this.#because = because;
    if (state === "active") this.#settled.resolve();
    if (!isNews) return;
    const told = because === "" ? {} : { because };
    this.#options.observe({
      kind: "component-state-changed",
      component: this.#options.front.name,
      state,
      ...told,
    });
  }

  /** Jittered, so that the ingresses of a region do not knock together. */
  #pauseAfter(end: StreamEnd, failures: number): Millis {
    const jitter = Math.random();
    switch (end.kind) {
      case "conflict":
        // A stand-in makes way for us: the shorter the pause, the fewer senders hear `wait` meanwhile.
        return millis(
          this.isOwn && this.#options.isStoodInFor() ? 200 + 200 * jitter : 1_000 + 1_000 * jitter,
        );
      case "closed":
        return millis(RELEASED_FOR * (1 + jitter / 2));
      case "lost":
        return millis(Math.min(250 * 2 ** failures, 5_000) * (0.5 + jitter / 2));
    }
  }
}
