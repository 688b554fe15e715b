import { type MessageTrace } from "./follow-message.ts";

interface Moment {
  /** Milliseconds after the message was sent. */
  readonly at: number;
  readonly what: string;
  readonly detail: string;
}

/** The trace as one JSON object; times in ms after the message was sent, to a tenth. The device only as fingerprint. */
export function timelineJson(trace: MessageTrace): string {
  const { admitted, published, reply, push, proven } = trace;
  const { type, from, errorType, condition, text } = reply;
  return JSON.stringify({
    fingerprint: admitted.fingerprint,
    verdict: admitted.verdict,
    senderProvenBy: proven,
    timesMs: {
      sent: 0,
      published: since(trace, published.at),
      queued: since(trace, admitted.at),
      reply: since(trace, reply.at),
      apnsAsked: push === undefined ? undefined : since(trace, push.receivedAt),
      apnsAccepted: push?.settledAt === undefined ? undefined : since(trace, push.settledAt),
    },
    reply: { type, from, errorType, condition, text },
    apns:
      push === undefined ? undefined : { status: push.status, apnsId: push.apnsId, payload: push.payload },
  });
}

/** The trace for people: one line a step, with a bar for the time. */
export function timelineText(trace: MessageTrace): string {
  const moments = momentsOf(trace);
  const last = Math.max(...moments.map(({ at }) => at), 1);
  return moments
    .map(({ at, what, detail }) => {
      const bar = `${"─".repeat(Math.round((at / last) * BAR))}●`.padEnd(BAR + 1);
      return `  ${at.toFixed(1).padStart(8)} ms  ${bar}  ${what.padEnd(14)} ${detail}`;
    })
    .join("\n");
}

const BAR = 24;

function momentsOf(trace: MessageTrace): readonly Moment[] {
  const { admitted, published, reply, push, proven } = trace;
  const moments = [
    {
      at: since(trace, published.at),
      what: "published",
      detail: `by the receiver's server, over s2s with TLS${proven === undefined ? "" : `, ${PROOFS[proven] ?? proven}`}`,
    },
    {
      at: since(trace, admitted.at),
      what: VERDICTS[admitted.verdict] ?? admitted.verdict,
      detail: `device ${admitted.fingerprint}`,
    },
    { at: since(trace, reply.at), what: "reply", detail: reply.type },
  ];
  if (push?.settledAt !== undefined) {
    const detail = `status ${push.status ?? "?"}, apns-id ${push.apnsId}`;
    moments.push({ at: since(trace, push.settledAt), what: "APNs accepted", detail });
  }
  return moments.toSorted((one, other) => one.at - other.at);
}

/** How a server proves its domain, for people. */
const PROOFS: Readonly<Record<string, string>> = {
  external: "its domain proven by its certificate",
  dialback: "its domain proven by dialback",
};

/** What the verdicts of admission mean to somebody who looks on. */
const VERDICTS: Readonly<Record<string, string>> = {
  now: "queued",
  later: "queued, later",
  merged: "merged",
};

const since = ({ sentAt }: MessageTrace, at: number): number => Math.round((at - sentAt) * 10) / 10;
