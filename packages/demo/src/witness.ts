import { type Program } from "@reveille/testkit";

/** A publish as the sender's server sent it. */
export interface SentPublish {
  /** Milliseconds since 1970, by the sender's clock. */
  readonly at: number;
  /** Of the IQ; its reply has the same. */
  readonly id: string;
  readonly user: string;
  readonly node?: string;
  /** The message had a body (or what counts as one). */
  readonly important: boolean;
}

/** A reply as it reached the sender's server. */
export interface ReceivedReply {
  readonly at: number;
  readonly id: string;
  readonly from: string;
  readonly type: "result" | "error";
  readonly errorType?: string;
  readonly condition?: string;
  readonly text?: string;
}

/** Follows what mod_witness tells in the log of that Prosody. */
export function watchWitness(program: Program): {
  readonly publishes: readonly SentPublish[];
  readonly replies: readonly ReceivedReply[];
} {
  const publishes: SentPublish[] = [];
  const replies: ReceivedReply[] = [];
  program.onLine(({ text }) => {
    const fact = factIn(text);
    if (fact === undefined) return;
    const publish = publishOf(fact);
    if (publish !== undefined) publishes.push(publish);
    const reply = replyOf(fact);
    if (reply !== undefined) replies.push(reply);
  });
  return { publishes, replies };
}

type Fact = Readonly<Record<string, unknown>>;

function factIn(line: string): Fact | undefined {
  const json = /:witness\s+info\s+(\{.*\})$/.exec(line)?.[1];
  if (json === undefined) return undefined;
  const fact: unknown = JSON.parse(json);
  return isFact(fact) ? fact : undefined;
}

const isFact = (value: unknown): value is Fact => typeof value === "object" && value !== null;

function publishOf(fact: Fact): SentPublish | undefined {
  const { event, at, id, user, node, important } = fact;
  if (event !== "publish" || typeof at !== "number" || typeof id !== "string" || typeof user !== "string")
    return undefined;
  return { at, id, user, important: important === true, ...(typeof node === "string" ? { node } : {}) };
}

function replyOf(fact: Fact): ReceivedReply | undefined {
  const { event, at, id, from, type, errorType, condition, text } = fact;
  if (event !== "reply" || typeof at !== "number" || typeof id !== "string" || typeof from !== "string")
    return undefined;
  if (type !== "result" && type !== "error") return undefined;
  return {
    at,
    id,
    from,
    type,
    ...(typeof errorType === "string" ? { errorType } : {}),
    ...(typeof condition === "string" ? { condition } : {}),
    ...(typeof text === "string" ? { text } : {}),
  };
}
