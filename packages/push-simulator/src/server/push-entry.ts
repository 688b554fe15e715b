import { type OpenPush } from "../ledger.ts";
import { type PushRequest } from "../push-request.ts";
import { apnsIdOf } from "../validation/headers.ts";
import { targetOf } from "../validation/target.ts";
import { topicOf } from "../validation/topic.ts";
import { type Connection } from "./connection.ts";
import { type Repeats } from "./repeats.ts";

/** What a ledger entry needs beside the request. */
export interface EntryContext {
  readonly connection: Connection;
  readonly stream: number;
  readonly now: number;
  /** For requests without an `apns-id` of their own. */
  readonly newId: () => string;
  readonly repeats: Repeats;
}

/** The ledger entry of a request that has just come in whole. */
export function pushEntryOf(request: PushRequest, context: EntryContext): OpenPush {
  const { connection, stream, now, newId, repeats } = context;
  const body = repeats.text(request.body.toString());
  return {
    token: targetOf(request),
    topic: topicOf(request, connection.identity.certificate?.topic),
    headers: textHeaders(request, repeats),
    body,
    payload: repeats.json(body),
    apnsId: apnsIdOf(request) ?? newId(),
    receivedAt: now,
    connection: connection.id,
    stream,
    state: "pending",
    status: undefined,
    reason: undefined,
    settledAt: undefined,
    processed: false,
  };
}

function textHeaders({ headers }: PushRequest, repeats: Repeats): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") text[name] = name === "authorization" ? repeats.text(value) : value;
  }
  return text;
}
