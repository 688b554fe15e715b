import { sign } from "node:crypto";

import { type Clock, later, type Millis, millis, minutes, seconds, type EpochMillis } from "@reveille/wakeup";

import { type OpenWire } from "../http2/wire.ts";
import { pause } from "../pool/judgement.ts";
import { pauseOf } from "../pool/retry-after.ts";
import { exchangeOnce } from "./exchange.ts";
import { type ServiceAccount } from "./service-account.ts";

/** Leave to send, for an hour or so. Secret. */
export interface AccessToken {
  /** Value of the `authorization` header. */
  readonly bearer: string;
  /** From then on the next one should be asked for. */
  readonly staleAt: EpochMillis;
  /** From then on Google takes it no more. */
  readonly endsAt: EpochMillis;
}

export type Grant =
  | { readonly kind: "granted"; readonly token: AccessToken }
  /** Google knows us and refuses, or there was no answer to make sense of. */
  | {
      readonly kind: "refused" | "unanswered";
      readonly because: string;
      /** Named by Google. */
      readonly retryAfter?: Millis;
    };

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const LIFETIME = minutes(60);
/** Google refuses assertions from the future; hosts' clocks may be ahead by as much. */
const DATED_BACK = minutes(1);
/** For pushes under way, and for a Google that takes its time. */
const STALE_BEFORE_END = minutes(5);
const PAUSE = { least: seconds(1), most: minutes(60) };
const WITHIN = seconds(10);
const HEADERS = ["content-type", "application/x-www-form-urlencoded"];

/** Asks Google for an access token ("Using OAuth 2.0 for Server to Server Applications", RFC 7523). Never rejects. */
export async function requestAccessToken(
  account: ServiceAccount,
  openWire: OpenWire,
  clock: Clock,
): Promise<Grant> {
  const form = new URLSearchParams({ grant_type: GRANT_TYPE, assertion: assertionOf(account, clock.now()) });
  const { pathname, search } = account.tokenUri;
  const request = { path: `${pathname}${search}`, headers: HEADERS, body: Buffer.from(form.toString()) };
  const result = await exchangeOnce(openWire, request, clock, WITHIN);
  if (result.kind !== "answered")
    return { kind: "unanswered", because: `no access token: ${result.because}` };
  const fields = fieldsOf(result.body);
  const token = fields.get("access_token");
  if (result.status === 200 && typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) {
    return { kind: "granted", token: { bearer: `Bearer ${token}`, ...timesOf(clock, fields) } };
  }
  const error = fields.get("error");
  const because = typeof error === "string" && /^\w{1,64}$/.test(error) ? error : `HTTP ${result.status}`;
  const isRefusal = result.status >= 400 && result.status < 500 && result.status !== 429;
  const retryAfter = pauseOf(result.retryAfter, clock.now(), PAUSE);
  return {
    kind: isRefusal ? "refused" : "unanswered",
    because: `no access token: ${because}`,
    ...pause(retryAfter),
  };
}

function timesOf(
  clock: Clock,
  fields: ReadonlyMap<string, unknown>,
): Pick<AccessToken, "staleAt" | "endsAt"> {
  const lifetime = fields.get("expires_in");
  const lasts = typeof lifetime === "number" && lifetime > 0 ? seconds(lifetime) : LIFETIME;
  const fresh = millis(Math.max(lasts / 2, lasts - STALE_BEFORE_END));
  return { staleAt: later(clock.now(), fresh), endsAt: later(clock.now(), lasts) };
}

function assertionOf({ clientEmail, keyId, key, tokenUri }: ServiceAccount, now: EpochMillis): string {
  const issuedAt = Math.floor((now - DATED_BACK) / 1_000);
  const header = encode({ alg: "RS256", typ: "JWT", kid: keyId });
  const claims = encode({
    iss: clientEmail,
    scope: SCOPE,
    aud: tokenUri.href,
    iat: issuedAt,
    exp: issuedAt + LIFETIME / 1_000,
  });
  const text = `${header}.${claims}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

function fieldsOf(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  } catch {
    // A page of a proxy: the status has to do.
    return new Map();
  }
}
