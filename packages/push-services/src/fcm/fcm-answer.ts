import { type EpochMillis, type Millis, minutes, seconds } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { pauseOf } from "../pool/retry-after.ts";

/** What FCM has answered to one request, in our words. */
export interface FcmAnswer {
  /** Its error code, e.g. `UNREGISTERED`, or Google's canonical one, or `HTTP 502`. Safe to log. */
  readonly reason: string;
  /** The mistake is the registration token. */
  readonly blamesToken: boolean;
  readonly retryAfter: Millis | undefined;
}

const CODE_SHAPE = /^[A-Z][A-Z_]{0,63}$/;
/** What is believed of a Retry-After. */
const PAUSE = { least: seconds(10), most: minutes(60) };

/** Reads a refusal; any body will do, JSON of Google or HTML of a proxy. */
export function readFcmAnswer(
  { status, body, retryAfter }: Extract<WireResult, { kind: "answered" }>,
  now: EpochMillis,
): FcmAnswer {
  const error = recordOf(recordOf(json(body))["error"]);
  const details = Array.isArray(error["details"]) ? error["details"].map(recordOf) : [];
  const code = details.map(({ errorCode }) => errorCode).find(isCode);
  const canonical = error["status"];
  const fields = details.flatMap(({ fieldViolations }) =>
    Array.isArray(fieldViolations) ? fieldViolations.map((violation) => recordOf(violation)["field"]) : [],
  );
  const message = error["message"];
  return {
    reason: code ?? (isCode(canonical) ? canonical : `HTTP ${status}`),
    blamesToken:
      fields.includes("message.token") ||
      (typeof message === "string" && /registration token/i.test(message)),
    retryAfter: pauseOf(retryAfter, now, PAUSE),
  };
}

const isCode = (value: unknown): value is string => typeof value === "string" && CODE_SHAPE.test(value);

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: a proxy's page, a cut body. The status has to do.
    return undefined;
  }
}
