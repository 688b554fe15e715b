import { type ServerHttp2Stream } from "node:http2";

import { type SimulatorClock } from "../clock.ts";
import { type DeviceRegistry } from "../devices/devices.ts";
import { performFault } from "../faults/perform.ts";
import { type Rule } from "../faults/rule.ts";
import { type RuleBook } from "../faults/rules.ts";
import { sampleLatency } from "../latency.ts";
import { type OpenPush, type PushLedger } from "../ledger.ts";
import { type PushRequest } from "../push-request.ts";
import { type Random } from "../random.ts";
import { type Refusal } from "../refusal.ts";
import { type Behaviour } from "../settings.ts";
import { type Counters } from "../stats.ts";
import { judge, type Validation } from "../validation/validate.ts";
import { type Answer, writeAnswer } from "./answer.ts";
import { type Connection } from "./connection.ts";
import { pushEntryOf } from "./push-entry.ts";
import { Repeats } from "./repeats.ts";

/** What the push service works with. */
export interface PushServiceParts {
  readonly behaviour: () => Behaviour;
  readonly validation: Validation;
  readonly devices: DeviceRegistry;
  readonly rules: RuleBook;
  readonly ledger: PushLedger;
  readonly counters: Counters;
  readonly clock: SimulatorClock;
  readonly random: Random;
}

/** A push on its way through the service. */
export interface PushInHand {
  readonly connection: Connection;
  readonly stream: ServerHttp2Stream;
  readonly push: OpenPush;
}

/** What is to be done with a push: a rule acts on it, or it is refused, or it is accepted. */
interface Verdict {
  readonly rule?: Rule | undefined;
  readonly refusal?: Refusal | undefined;
}

/** The path of a push: recorded, judged, delayed, answered. */
export class PushService {
  readonly #parts: PushServiceParts;
  readonly #pending = new Set<PushInHand>();
  readonly #repeats = new Repeats();

  constructor(parts: PushServiceParts) {
    this.#parts = parts;
  }

  async receive(connection: Connection, stream: ServerHttp2Stream, request: PushRequest): Promise<void> {
    const { behaviour, clock, random } = this.#parts;
    const inHand = this.#record(connection, stream, request);
    if (connection.wedged) return;
    const { rule, refusal } = this.#judge(inHand, request);
    if (rule?.fault?.kind === "goaway") connection.goaway(rule.fault);
    const wait = sampleLatency(rule?.latency ?? behaviour().latency, random);
    if (wait > 0) await clock.sleep(wait);
    if (connection.thawed !== undefined) await connection.thawed;
    if (!isOpen(inHand)) return;
    if (rule?.fault !== undefined && rule.fault.kind !== "goaway") performFault(rule.fault, inHand, this);
    else if (refusal !== undefined) this.#refuse(inHand, refusal);
    else if (random.next() >= behaviour().stallShare) this.answer(inHand, { status: 200 });
  }

  /** Answers, settles the ledger entry and lets the connection feel the answer. */
  answer({ connection, stream, push }: PushInHand, answer: Answer): void {
    const { validation, random, counters, clock } = this.#parts;
    push.state = "answered";
    push.status = answer.status;
    push.reason = answer.reason;
    push.settledAt = clock.now();
    counters.answered(answer.status, answer.reason);
    if (answer.status === 200) this.process(push);
    this.#adjustStreamLimit(connection, answer.status);
    const isUnique = answer.status === 200 && validation.authentication.environment === "sandbox";
    const id = { "apns-id": push.apnsId, ...(isUnique ? { "apns-unique-id": random.uuid() } : {}) };
    writeAnswer(stream, { ...answer, headers: { ...id, ...answer.headers } });
    if (isWedgedBy(this.#parts.behaviour(), answer)) connection.wedged = true;
  }

  /** Answers what is in flight on a connection with 503 Shutdown. */
  shutDown(connection: Connection): void {
    for (const inHand of this.#pending) {
      if (inHand.connection !== connection || !isOpen(inHand)) continue;
      this.answer(inHand, { status: 503, reason: "Shutdown" });
    }
  }

  /** Takes a push: its device will get it. */
  process(push: OpenPush): void {
    if (push.processed) return;
    push.processed = true;
    this.#parts.devices.deliver(push);
  }

  #record(connection: Connection, stream: ServerHttp2Stream, request: PushRequest): PushInHand {
    const { ledger, counters, clock, random } = this.#parts;
    const context = { connection, stream: stream.id ?? 0, now: clock.now(), newId: random.uuid };
    const push = pushEntryOf(request, { ...context, repeats: this.#repeats });
    const inHand = { connection, stream, push };
    connection.pushes += 1;
    counters.pushes += 1;
    ledger.record(push);
    this.#pending.add(inHand);
    stream.once("close", () => this.#closed(inHand));
    return inHand;
  }

  #judge({ connection, push }: PushInHand, request: PushRequest): Verdict {
    const { behaviour, validation, devices, rules, clock } = this.#parts;
    const early = rules.take("arrival", push);
    if (early !== undefined) return { rule: early };
    const { authenticated, refusal } = judge(request, connection.identity, validation, clock.now());
    if (authenticated) this.#welcome(connection);
    if (refusal !== undefined) return { refusal };
    const { throttle } = behaviour();
    const byDevice =
      devices.refusalFor(push.token, push.topic ?? "") ??
      (throttle === "none" ? undefined : devices.throttled(push.token, throttle));
    return byDevice === undefined ? { rule: rules.take("acceptance", push) } : { refusal: byDevice };
  }

  #closed(inHand: PushInHand): void {
    const { push } = inHand;
    this.#pending.delete(inHand);
    if (push.state !== "pending") return;
    push.state = "cut";
    push.settledAt = this.#parts.clock.now();
    this.#parts.counters.cut += 1;
  }

  #welcome(connection: Connection): void {
    if (connection.welcome) return;
    connection.welcome = true;
    connection.limitStreams(this.#parts.behaviour().streamLimit);
  }

  #refuse(inHand: PushInHand, refusal: Refusal): void {
    const { connection } = inHand;
    this.answer(inHand, refusal);
    if (refusal.reason !== "BadDeviceToken") return;
    connection.badTokens += 1;
    const { badTokensPerConnection: most } = this.#parts.behaviour();
    if (most !== "unlimited" && connection.badTokens >= most) connection.goaway();
  }

  #adjustStreamLimit(connection: Connection, status: number): void {
    const { narrowAfterRefusal, streamLimit } = this.#parts.behaviour();
    if (!narrowAfterRefusal || !connection.welcome) return;
    if (status === 200) connection.limitStreams(streamLimit);
    else if (status !== 410 && status < 500) connection.limitStreams(1);
  }
}

/** Its answer can still be written. */
const isOpen = ({ connection, stream, push }: PushInHand): boolean =>
  push.state === "pending" &&
  connection.mayAnswer(push.stream) &&
  !stream.closed &&
  !stream.destroyed &&
  !stream.headersSent;

const isWedgedBy = ({ wedgeAfter }: Behaviour, { reason }: Answer): boolean =>
  reason !== undefined && wedgeAfter.includes(reason);
