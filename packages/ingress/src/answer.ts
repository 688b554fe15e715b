import {
  type Clock,
  millis,
  type Millis,
  type Observe,
  type PublishResult,
  type Wakeup,
} from "@reveille/wakeup";

import { type RegistrationGuard } from "./registration-guard.ts";
import { senderOf } from "./sender.ts";
import { DOUBTED, type IqAddress, REPLIES, replyStanza } from "./reply.ts";

/** Where a reply leaves. */
export interface ReplyPath {
  readonly send: (xml: string) => void;
}

/** A publish that has come to its result. */
export interface PendingReply {
  readonly address: IqAddress;
  readonly path: ReplyPath;
  /** When it was read, by the monotonic clock. */
  readonly since: Millis;
  /** The node, for the registration guard. */
  readonly device: string;
  readonly wakeup?: Wakeup;
}

export type Answer = (to: PendingReply, result: PublishResult) => void;

export interface AnswerOptions {
  readonly guard: RegistrationGuard;
  /** The name under which a domain counts, together with others that cost their owner nothing. */
  readonly countedAs: (domain: string) => string;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** Gives the one reply to a publish, by the contract. */
export const answerBy =
  ({ guard, countedAs, clock, observe }: AnswerOptions): Answer =>
  ({ address, path, since, device, wakeup }, result) => {
    const about = { module: wakeup?.module, domain: countedAs(senderOf(address.from).domain), device };
    const answer = guard.doubts(result, about) ? DOUBTED : REPLIES[result];
    path.send(replyStanza(address, answer));
    const took = millis(clock.monotonic() - since);
    const woken = wakeup === undefined ? {} : { wakeup };
    observe({ kind: "publish-answered", result, reply: answer.reply, took, ...woken });
  };
