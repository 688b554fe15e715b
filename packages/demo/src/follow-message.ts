import { until } from "@reveille/testkit";

import { type ReceivedPush } from "./apns.ts";
import { type ChatClient } from "./chat-client.ts";
import { type WakeupRecord } from "./records.ts";
import { type Region } from "./start-region.ts";
import { type ReceivedReply, type SentPublish } from "./witness.ts";

type Admitted = Extract<WakeupRecord, { kind: "admitted" }>;

/** One message to a sleeping device and what became of it; all times in ms since 1970. */
export interface MessageTrace {
  readonly sentAt: number;
  readonly published: SentPublish;
  readonly admitted: Admitted;
  readonly reply: ReceivedReply;
  /** How the sender's server has proven its domain to our front; `undefined` at another front. */
  readonly proven: string | undefined;
  /** Only if the verdict was `now`; otherwise another push covers the message, in its window. */
  readonly push?: ReceivedPush;
}

export interface Message {
  readonly from: ChatClient;
  readonly to: string;
  readonly body: string;
  /** The device token that the receiver's server publishes to. */
  readonly token: string;
}

const STEP_MS = 15_000;

/** Sends a message and follows it to the end. Throws with the step that hangs, and where its log is. */
export async function followMessage(region: Region, message: Message): Promise<MessageTrace> {
  const { sender, ingress } = region;
  const publishesBefore = sender.publishes.length;
  const admittedBefore = admittedIn(region).length;
  const sentAt = Date.now();
  await message.from.sendMessage(message.to, message.body);

  const published = await until(() => sender.publishes[publishesBefore], {
    what: "the publish of the sender's server",
    withinMs: STEP_MS,
    logFile: sender.program.logFile,
  });
  const reply = await until(() => sender.replies.find(({ id }) => id === published.id), {
    what: "the reply to the publish",
    withinMs: STEP_MS,
    logFile: ingress.logFile,
  });
  if (reply.type === "error") {
    const { errorType = "", condition = "", text = "" } = reply;
    throw new Error(`the publish was refused (${errorType} ${condition} ${text}); see ${region.logFolder}`);
  }
  const admitted = await until(() => admittedIn(region)[admittedBefore], {
    what: "the verdict of admission",
    withinMs: STEP_MS,
    logFile: ingress.logFile,
  });
  const trace = { sentAt, published, admitted, reply, proven: provenBy(region) };
  if (admitted.verdict !== "now") return trace;
  return { ...trace, push: await answeredPush(region, message.token, admitted.apnsId) };
}

/** The push with that `apns-id` once APNs has answered it. Throws if that was no 200. */
async function answeredPush(region: Region, token: string, apnsId: string): Promise<ReceivedPush> {
  const push = await until(
    async () => {
      const pushes = await region.apns.pushesTo(token);
      return pushes.find((one) => one.apnsId === apnsId && one.status !== undefined);
    },
    { what: "the push at APNs", withinMs: STEP_MS, logFile: region.workers[0]?.logFile },
  );
  if (push.status === 200) return push;
  throw new Error(`APNs refused the push: ${push.status} ${push.reason ?? ""}; see ${region.logFolder}`);
}

/** By the record of the front. */
function provenBy({ front }: Region): string | undefined {
  const record = front.lines.findLast(({ text }) => text.includes(`"event":"peer-proven","direction":"in"`));
  return /"method":"(\w+)"/.exec(record?.text ?? "")?.[1];
}

const admittedIn = ({ wakeups }: Region): readonly Admitted[] =>
  wakeups.filter((record) => record.kind === "admitted");
