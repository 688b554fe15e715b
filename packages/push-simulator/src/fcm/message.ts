import { recordOf } from "../control/check.ts";
import { type FcmRefusal, invalidArgument } from "./refusal.ts";

/** A message that FCM would take, as far as it matters here. */
export interface FcmMessage {
  readonly token: string;
  readonly data: Readonly<Record<string, string>>;
  readonly priority: string;
  readonly ttl: string | undefined;
  readonly collapseKey: string | undefined;
}

const LARGEST_DATA = 4_096;
const LONGEST_TTL = 2_419_200;
const TOKEN = /^[A-Za-z0-9_:-]{32,}$/;

/** Reads the body of `messages:send`; the first mistake decides. */
export function readMessage(body: string): FcmMessage | FcmRefusal {
  const message = recordOf(recordOf(json(body))?.["message"]);
  if (message === undefined) return invalidArgument("message", "Message is missing.");
  const { token, data = {}, android = {}, ...others } = message;
  const [strange] = Object.keys(others);
  if (strange !== undefined) return invalidArgument(`message.${strange}`, `Unknown name "${strange}".`);
  if (typeof token !== "string" || !TOKEN.test(token)) {
    return invalidArgument("message.token", "The registration token is not a valid FCM registration token");
  }
  const texts = textsOf(data);
  if (texts === undefined) return invalidArgument("message.data", "Data values must be strings.");
  if (Buffer.byteLength(JSON.stringify(texts)) > LARGEST_DATA)
    return { ...invalidArgument("", "Android message is too big"), details: [] };
  return readAndroid({ token, data: texts }, recordOf(android) ?? {});
}

function readAndroid(
  message: Pick<FcmMessage, "token" | "data">,
  { priority = "normal", ttl, collapse_key: collapseKey }: Readonly<Record<string, unknown>>,
): FcmMessage | FcmRefusal {
  if (typeof priority !== "string" || !/^(?:high|normal)$/i.test(priority)) {
    return invalidArgument("message.android.priority", "Invalid value at 'message.android.priority'");
  }
  if (ttl !== undefined && !isTtl(ttl)) return invalidArgument("message.android.ttl", "Invalid ttl");
  if (collapseKey !== undefined && typeof collapseKey !== "string") {
    return invalidArgument("message.android.collapse_key", "Invalid collapse_key");
  }
  return { ...message, priority: priority.toLowerCase(), ttl, collapseKey };
}

const isTtl = (ttl: unknown): ttl is string =>
  typeof ttl === "string" && /^\d{1,7}(?:\.\d{1,9})?s$/.test(ttl) && Number.parseFloat(ttl) <= LONGEST_TTL;

function textsOf(data: unknown): Readonly<Record<string, string>> | undefined {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(recordOf(data) ?? { "": undefined })) {
    if (typeof value !== "string") return undefined;
    texts[name] = value;
  }
  return texts;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Nothing that has a message.
    return undefined;
  }
}
