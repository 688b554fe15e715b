import { type EpochMillis, epochMillis, type Millis, minutes, seconds } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { pauseOf } from "../pool/retry-after.ts";

/** What APNs has answered to one request, in our words. */
export interface Answer {
  readonly status: number;
  /** Apple's word, or `HTTP 502` where there is none. Safe to log. */
  readonly reason: string;
  /** 410 only: since when the token is no longer valid for the topic. */
  readonly since?: EpochMillis;
  readonly retryAfter?: Millis;
}

const REASON_SHAPE = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
/** A run of hex digits this long could be (part of) a device token that some proxy echoes. */
const LIKE_A_TOKEN = /[0-9a-f]{16}/i;
/** Apple documents no Retry-After; should one come, it is believed within these. */
const PAUSE = { least: seconds(1), most: minutes(60) };

/**
 * Reads the answer to a push. Any body will do, JSON of Apple or HTML of a proxy; none of it gets into `reason`
 * unless it is one plain word.
 */
export function readAnswer(
  { status, body, retryAfter }: Extract<WireResult, { kind: "answered" }>,
  now: EpochMillis,
): Answer {
  const fields = jsonObject(body);
  const pause = pauseOf(retryAfter, now, PAUSE);
  const since = status === 410 ? timeOf(fields.get("timestamp")) : undefined;
  return {
    status,
    reason: reasonOf(fields) ?? `HTTP ${status}`,
    ...(since === undefined ? {} : { since }),
    ...(pause === undefined ? {} : { retryAfter: pause }),
  };
}

/** The `reason` in the JSON of an answer or of a GOAWAY, if it has one. */
export function reasonIn(body: string): string | undefined {
  return reasonOf(jsonObject(body));
}

function reasonOf(fields: ReadonlyMap<string, unknown>): string | undefined {
  const reason = fields.get("reason");
  if (typeof reason !== "string" || !REASON_SHAPE.test(reason) || LIKE_A_TOKEN.test(reason)) return undefined;
  return reason;
}

function jsonObject(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    // No JSON: a proxy's page, a cut body, an empty 503. The status has to do.
    return new Map();
  }
}

function timeOf(value: unknown): EpochMillis | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? epochMillis(value)
    : undefined;
}
