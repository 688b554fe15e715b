import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { type Clock, epochMillis, millis } from "@reveille/wakeup";

import { type Asked, type Question, type Said } from "./driver.ts";
import { type Load, LoadLoop, type LoadLoopOptions } from "./load-loop.ts";

/** The clock of a load process. */
export const loadClock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => {
    // An early end by the signal is what `Clock.sleep` promises.
    await sleep(duration, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};

/** What the process was started with: the JSON of its only argument. */
export function settingsOf<T>(isSettings: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(process.argv[2] ?? "null");
  if (isSettings(value)) return value;
  throw new Error("the settings of this process are wrong");
}

/** Answers the harness until it lets go; then, and on SIGTERM, calls `close` and ends. */
export function serveDriver(
  ready: unknown,
  answer: (question: Question) => unknown,
  close: () => Promise<void>,
): void {
  const end = (): void => {
    void close().then(() => process.exit(0));
  };
  process.on("message", (message: unknown) => {
    if (!isAsked(message)) return;
    void reply(message);
  });
  const reply = async ({ id, question }: Asked): Promise<void> => {
    say({ kind: "answer", id, value: await answer(question) });
  };
  process.once("disconnect", end);
  process.once("SIGTERM", end);
  say({ kind: "ready", value: ready });
}

/** A load loop that begins when the harness says so, and the answers to all questions about it. */
export class ServedLoop {
  readonly #send: LoadLoopOptions["send"];
  #loop: LoadLoop | undefined;

  constructor(send: LoadLoopOptions["send"]) {
    this.#send = send;
  }

  get loop(): LoadLoop {
    if (this.#loop === undefined) throw new Error("the load has not begun");
    return this.#loop;
  }

  readonly answer = (question: Question): unknown => {
    switch (question.kind) {
      case "start":
        return this.#start(question.load);
      case "arrived":
        return this.loop.arrived(question.total);
      case "mark":
        return this.loop.mark();
      case "stop":
        return this.loop.stop();
      case "in-flight":
        return this.loop.inFlight;
      case "journal":
        return this.loop.journal(performance.timeOrigin);
      case "connected":
      case "arrivals":
        return undefined;
    }
  };

  /** Sends what may be sent now; before the load has begun, nothing. */
  pump(): void {
    this.#loop?.pump();
  }

  #start(load: Load): void {
    this.#loop = new LoadLoop({ load, clock: loadClock, send: this.#send });
  }
}

function say(said: Said): void {
  process.send?.(said);
}

const isAsked = (value: unknown): value is Asked =>
  typeof value === "object" && value !== null && "id" in value && "question" in value;
