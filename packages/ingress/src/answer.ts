import {
  type Clock,
  millis,
  type Millis,
  type Observe,
  type PublishResult,
  type Wakeup,
} from "@reveille/wakeup";

import { type IqAddress, REPLIES, replyStanza } from "./reply.ts";
import { type ReplyPath } from "./waiting.ts";

/** A publish that has come to its result. */
export interface Answered {
  readonly address: IqAddress;
  readonly path: ReplyPath;
  readonly since: Millis;
  readonly wakeup?: Wakeup;
}

export type Answer = (to: Answered, result: PublishResult) => void;

/** Gives the one reply to a publish, by the contract. */
export const answerBy =
  ({ clock, observe }: { readonly clock: Clock; readonly observe: Observe }): Answer =>
  ({ address, path, since, wakeup }, result) => {
    const answer = REPLIES[result];
    path.send(replyStanza(address, answer));
    const took = millis(clock.monotonic() - since);
    const about = wakeup === undefined ? {} : { wakeup };
    observe({ kind: "publish-answered", result, reply: answer.reply, took, ...about });
  };
