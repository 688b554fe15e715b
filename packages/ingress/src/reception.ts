import { type Clock, type Observe } from "@reveille/wakeup";

import { type Answer, type PendingReply, type ReplyPath } from "./answer.ts";
import { type ServedModules, wakeupOf } from "./publish.ts";
import { type SenderRefusal } from "./ports.ts";
import { answerQuery, type QueryFacts } from "./query.ts";
import { busyStanza, type IqAddress } from "./reply.ts";
import { senderOf } from "./sender.ts";
import { senderSoftwareOf } from "./sender-software.ts";
import {
  type PublishPayload,
  type QueryName,
  type QueryPayload,
  type Stanza,
  UNSUPPORTED,
} from "./stanza.ts";
import { type PendingPublish } from "./pending-publish.ts";

export interface ReceptionOptions {
  readonly modules: () => ServedModules;
  readonly queryFacts: QueryFacts;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly answer: Answer;
  /** Whether the operator lets this domain publish now. */
  readonly refusal: (domain: string) => SenderRefusal | undefined;
  /** Whether an IQ of this domain that is no publish is answered with `wait`. */
  readonly refusesQuery: (domain: string) => boolean;
  /** The name under which this domain counts together with others. */
  readonly payerOf: (domain: string) => string;
  readonly accept: (waiting: PendingPublish) => void;
}

export type Receive = (stanza: Stanza, path: ReplyPath) => void;

/** Longer than any legal pair of JIDs (3071 bytes each) with an id: nobody waits for such a reply. */
const LONGEST_ADDRESS = 16_384;

/** Roughly what a waiting publish takes in memory besides its strings. */
const OBJECTS = 400;

/** Decides for each stanza whether it is a publish, a query, or nothing to answer. */
export function receiveWith(options: ReceptionOptions): Receive {
  return (stanza, path) => {
    const address = addressOf(stanza);
    if (stanza.excessive) {
      options.observe({ kind: "oversized-stanza-skipped", isAnswered: address !== undefined });
    }
    if (address === undefined) {
      options.observe({ kind: "stanza-ignored", stanza: stanza.name });
      return;
    }
    const { payload, type } = stanza;
    if (stanza.excessive) {
      options.answer({ address, path, since: options.clock.monotonic(), device: "" }, "malformed");
      return;
    }
    if (payload.kind === "publish" && type === "set") {
      receivePublish(options, address, payload, path);
      return;
    }
    // Our own ping proves the way through the front: nobody else has our address there.
    const { domain } = senderOf(address.from);
    if (domain !== senderOf(address.to).domain && options.refusesQuery(domain)) {
      path.send(busyStanza(address));
      options.observe({ kind: "query-answered", query: "over-limit" });
      return;
    }
    const asked = payload.kind === "query" && type === typeOf(payload.query) ? payload : UNSUPPORTED;
    void receiveQuery(options, address, asked, path);
  };
}

async function receiveQuery(
  { queryFacts, observe }: ReceptionOptions,
  address: IqAddress,
  asked: Omit<QueryPayload, "kind">,
  path: ReplyPath,
): Promise<void> {
  path.send(await answerQuery(address, asked, queryFacts));
  observe({ kind: "query-answered", query: asked.query });
}

/** Commands are of type `set` (XEP-0050 §3), questions of type `get`. */
const typeOf = (query: QueryName): "get" | "set" => (query === "command" ? "set" : "get");

function receivePublish(
  options: ReceptionOptions,
  received: IqAddress,
  publish: PublishPayload,
  path: ReplyPath,
): void {
  const { clock, observe, modules, answer, accept, payerOf } = options;
  const kept = detach(received, publish.node);
  const to: PendingReply = { address: kept.address, path, since: clock.monotonic(), device: kept.node ?? "" };
  const sender = senderOf(kept.address.from);
  if (sender.kind === "client") return answer(to, "not-a-server");
  const { domain } = sender;
  const refusal = options.refusal(domain);
  if (refusal !== undefined) return answer(to, refusal);
  if (publish.inClear) {
    observe({ kind: "clear-content-seen", software: senderSoftwareOf(received.id), domain });
  }
  const wakeup = wakeupOf({ ...publish, node: kept.node }, modules(), clock.now());
  if (typeof wakeup === "string") return answer(to, wakeup);
  return accept({ ...to, wakeup, sender: domain, payer: payerOf(domain), size: kept.length + OBJECTS });
}

/** Where the reply goes; `undefined` for what gets none: all but IQs of type get and set, with addresses. */
function addressOf({ name, type, id, from, to }: Stanza): IqAddress | undefined {
  if (name !== "iq" || (type !== "get" && type !== "set")) return undefined;
  if (id === undefined || from === undefined || to === undefined) return undefined;
  return id.length + from.length + to.length > LONGEST_ADDRESS ? undefined : { id, from, to };
}

interface Kept {
  readonly address: IqAddress;
  readonly node: string | undefined;
  /** In characters. */
  readonly length: number;
}

/**
 * Copies what outlives the stanza. V8 makes parts of a string point into the whole, so that a held publish
 * would keep the chunk it came in, with the messages in it, in memory; joining and cutting makes a new string.
 */
function detach({ id, from, to }: IqAddress, node: string | undefined): Kept {
  const joined = `${id}${from}${to}${node ?? ""}`;
  const fromAt = id.length;
  const toAt = fromAt + from.length;
  const nodeAt = toAt + to.length;
  return {
    address: {
      id: joined.slice(0, fromAt),
      from: joined.slice(fromAt, toAt),
      to: joined.slice(toAt, nodeAt),
    },
    node: node === undefined ? undefined : joined.slice(nodeAt),
    length: joined.length,
  };
}
