import { type ServerHttp2Stream } from "node:http2";

import { type SimulatorClock } from "../clock.ts";
import { type DeviceRegistry } from "../devices/devices.ts";
import { performFault } from "../faults/perform.ts";
import { type Rule } from "../faults/rule.ts";
import { type PushFacts, type RuleBook } from "../faults/rules.ts";
import { sampleLatency } from "../latency.ts";
import { type OpenPush, type PushLedger } from "../ledger.ts";
import { headerOf, type PushRequest } from "../push-request.ts";
import { type Random } from "../random.ts";
import { type Refusal } from "../refusal.ts";
import { type Behaviour } from "../settings.ts";
import { type Counters } from "../stats.ts";
import { targetOf } from "../validation/target.ts";
import { topicOf } from "../validation/topic.ts";
import { judge, type Validation } from "../validation/validate.ts";
import { type Answer, writeAnswer } from "./answer.ts";
import { type Connection } from "./connection.ts";

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

/** The path of a push: recorded, judged, delayed, answered. */
export class PushService {
  readonly #parts: PushServiceParts;
  readonly #pending = new Set<PushInHand>();

  constructor(parts: PushServiceParts) {
    this.#parts = parts;
  }

  async receive(connection: Connection, stream: ServerHttp2Stream, request: PushRequest): Promise<void> {
    const { behaviour, clock, random } = this.#parts;
    const inHand = { connection, stream, push: this.#record(connection, stream, request) };
    this.#pending.add(inHand);
    stream.once("close", () => this.#closed(inHand));
    if (connection.wedged) return;
    const { rule, refusal } = this.#judge(inHand, request);
    if (rule?.fault?.kind === "goaway") connection.goaway(rule.fault);
    const wait = sampleLatency(rule?.latency ?? behaviour().latency, random);
    if (wait > 0) await clock.sleep(wait);
    await connection.thawed;
    if (!isOpen(inHand)) return;
    if (rule?.fault !== undefined && rule.fault.kind !== "goaway") performFault(rule.fault, inHand, this);
    else if (refusal !== undefined) this.#refuse(inHand, refusal);
    else if (random.next() >= behaviour().stallShare) this.answer(inHand, { status: 200 });
  }

  /** Answers, settles the ledger entry and lets the connection feel the answer. */
  answer({ connection, stream, push }: PushInHand, answer: Answer): void {
    const { validation, random, counters } = this.#parts;
    const isUnique = answer.status === 200 && validation.authentication.environment === "sandbox";
    Object.assign(push, { state: "answered", status: answer.status, reason: answer.reason });
    push.settledAt = this.#parts.clock.now();
    counters.answered(answer.status, answer.reason);
    if (answer.status === 200) this.process(push);
    this.#adjustStreamLimit(connection, answer.status);
    const id = { "apns-id": push.apnsId, ...(isUnique ? { "apns-unique-id": random.uuid() } : {}) };
    writeAnswer(stream, { ...answer, headers: { ...id, ...answer.headers } });
  }

  /** Answers what is in flight on a connection with 503 Shutdown. */
  shutDown(connection: Connection): void {
    for (const inHand of this.#pending) {
      if (inHand.connection === connection && isOpen(inHand))
        this.answer(inHand, { status: 503, reason: "Shutdown" });
    }
  }

  /** Takes a push: its device will get it. */
  process(push: OpenPush): void {
    push.processed = true;
    this.#parts.devices.deliver(push);
  }

  #judge(
    { connection, push }: PushInHand,
    request: PushRequest,
  ): { readonly rule: Rule | undefined; readonly refusal: Refusal | undefined } {
    const { behaviour, validation, devices, rules, clock } = this.#parts;
    const facts: PushFacts = { ...push, pushType: push.headers["apns-push-type"] };
    const early = rules.take("arrival", facts);
    if (early !== undefined) return { rule: early, refusal: undefined };
    const { authenticated, refusal } = judge(request, connection.identity, validation, clock.now());
    if (authenticated) this.#welcome(connection);
    if (refusal !== undefined) return { rule: undefined, refusal };
    const { throttle } = behaviour();
    const byDevice =
      devices.refusalFor(push.token, push.topic ?? "") ??
      (throttle === "none" ? undefined : devices.throttled(push.token, throttle));
    if (byDevice !== undefined) return { rule: undefined, refusal: byDevice };
    return { rule: rules.take("acceptance", facts), refusal: undefined };
  }

  #record(connection: Connection, stream: ServerHttp2Stream, request: PushRequest): OpenPush {
    const { ledger, counters, clock, random } = this.#parts;
    const body = request.body.toString();
    const push: OpenPush = {
      token: targetOf(request),
      topic: topicOf(request, connection.identity.certificate?.topic),
      headers: textHeaders(request),
      body,
      payload: jsonOf(body),
      apnsId: headerOf(request, "apns-id") ?? random.uuid(),
      receivedAt: clock.now(),
      connection: connection.id,
      stream: stream.id ?? 0,
      state: "pending",
      status: undefined,
      reason: undefined,
      settledAt: undefined,
      processed: false,
    };
    connection.pushes += 1;
    counters.pushes += 1;
    ledger.record(push);
    return push;
  }

  #closed(inHand: PushInHand): void {
    this.#pending.delete(inHand);
    if (inHand.push.state !== "pending") return;
    Object.assign(inHand.push, { state: "cut", settledAt: this.#parts.clock.now() });
    this.#parts.counters.cut += 1;
  }

  #welcome(connection: Connection): void {
    if (connection.welcome) return;
    connection.welcome = true;
    connection.limitStreams(this.#parts.behaviour().streamLimit);
  }

  #refuse(inHand: PushInHand, refusal: Refusal): void {
    const { behaviour } = this.#parts;
    const { connection } = inHand;
    this.answer(inHand, refusal);
    if (refusal.reason === "ExpiredProviderToken") connection.wedged = behaviour().wedgeAfterExpiredToken;
    if (refusal.reason !== "BadDeviceToken") return;
    connection.badTokens += 1;
    const { badTokensPerConnection: most } = behaviour();
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

function textHeaders({ headers }: PushRequest): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") text[name] = value;
  }
  return text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a provider may send anything
  }
}
