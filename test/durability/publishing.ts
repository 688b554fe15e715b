import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { aPublish, type ServerDouble, type WireReply } from "@reveille/testkit";

import { MODULE } from "./push-path.ts";

/** Publishes leave in steps of this many milliseconds: all that is due, in one go. */
const STEP = 5;

export interface Target {
  readonly token: string;
  readonly to: string;
}

/** A publish and what became of it. Times are of this process, in ms since 1970. */
export interface Sent {
  readonly token: string;
  readonly sentAt: number;
  readonly reply: WireReply | undefined;
}

export interface Publishing {
  readonly server: ServerDouble;
  readonly rate: number;
  /** Publishes wait while this many have no answer: for a front that is slower than the rate. No limit by default. */
  readonly mostUnanswered?: number;
  /** Where publish number `index` goes; `undefined` ends the load. */
  readonly target: (index: number) => Target | undefined;
}

/** An open loop of publishes from one server: they leave at their time, whatever comes back, unless there is a limit. */
export class Publisher {
  readonly #publishing: Publishing;
  readonly #repliesBefore: number;
  readonly #mark = randomUUID();
  #repliesSeen = 0;
  #accepted = 0;
  readonly #sent: { readonly id: string; readonly token: string; readonly sentAt: number }[] = [];

  constructor(publishing: Publishing) {
    this.#publishing = publishing;
    this.#repliesBefore = publishing.server.replies.length;
  }

  /** Resolves when the last publish has left. */
  async run(): Promise<void> {
    const { server, rate, mostUnanswered = Infinity, target } = this.#publishing;
    const startedAt = performance.now();
    for (;;) {
      const answered = server.replies.length - this.#repliesBefore;
      const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000);
      while (this.#sent.length < Math.min(due, answered + mostUnanswered)) {
        const next = target(this.#sent.length);
        if (next === undefined) return;
        this.#send(next);
      }
      await sleep(STEP);
    }
  }

  /** How many the server heard `result` for. */
  get accepted(): number {
    const { replies } = this.#publishing.server;
    for (; this.#repliesSeen < replies.length; this.#repliesSeen += 1) {
      if (replies[this.#repliesSeen]?.type === "result") this.#accepted += 1;
    }
    return this.#accepted;
  }

  /** Every publish so far, oldest first. */
  journal(): readonly Sent[] {
    const replies = new Map(this.#publishing.server.replies.map((reply) => [reply.id, reply]));
    return this.#sent.map(({ id, token, sentAt }) => ({ token, sentAt, reply: replies.get(id) }));
  }

  #send({ token, to }: Target): void {
    const { server } = this.#publishing;
    const id = `${this.#mark}-${this.#sent.length}`;
    // Noted before it is written: a push that left meanwhile must not count as its own.
    this.#sent.push({ id, token, sentAt: Date.now() });
    server.send(aPublish({ from: server.domain, to, id, node: token, module: MODULE, body: "x" }));
  }
}
