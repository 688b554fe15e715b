import { type OpenPush } from "../ledger.ts";
import { type PushRequest } from "../push-request.ts";
import { apnsIdOf } from "../validation/headers.ts";
import { targetOf } from "../validation/target.ts";
import { topicOf } from "../validation/topic.ts";
import { type Connection } from "./connection.ts";

/** What a ledger entry needs beside the request. */
export interface EntryContext {
  readonly connection: Connection;
  readonly stream: number;
  readonly now: number;
  /** For requests without an `apns-id` of their own. */
  readonly newId: () => string;
}

/** The ledger entry of a request that has just come in whole. */
export function pushEntryOf(
  request: PushRequest,
  { connection, stream, now, newId }: EntryContext,
): OpenPush {
  const body = request.body.toString();
  return {
    token: targetOf(request),
    topic: topicOf(request, connection.identity.certificate?.topic),
    headers: textHeaders(request),
    body,
    payload: jsonOf(body),
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
