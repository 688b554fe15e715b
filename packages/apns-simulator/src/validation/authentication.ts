import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { type ClientCertificate } from "./client-certificate.ts";
import { type Environment, type ProviderToken, type ProviderTokens } from "./provider-token.ts";

const MINUTE = 60_000;
const TOKEN_LIFE = 60 * MINUTE;
const LEAST_BETWEEN_TOKENS = 20 * MINUTE;
/** Apple documents no tolerance for clocks that run ahead; one minute forgives rounding, not a wrong clock. */
const AHEAD_ALLOWED = MINUTE;

/** Who a connection belongs to: settled by its first push, held against the later ones. */
export interface ConnectionIdentity {
  /** Present when the client showed a certificate: then tokens are ignored. */
  readonly certificate: ClientCertificate | undefined;
  teamId?: string;
  keyId?: string;
  bearer?: string;
  /** When the connection last saw a token it had not seen before. */
  bearerSince?: number;
}

/** Tokens of each key seen anywhere, for `limitTokensOf: "key"`. */
export type TokensSeen = Map<string, { readonly bearers: Set<string>; newestSince: number }>;

export interface Authentication {
  readonly tokens: ProviderTokens;
  readonly environment: Environment;
  /** Whose new tokens are counted for TooManyProviderTokenUpdates. */
  readonly limitTokensOf: "connection" | "key";
  readonly seen: TokensSeen;
}

/** A push whose sender is known. */
export interface Authenticated {
  readonly token: ProviderToken | undefined;
}

/** Step 3: who sends? Writes into `identity` what the connection is bound to from now on. */
export function authenticate(
  request: PushRequest,
  identity: ConnectionIdentity,
  { tokens, environment, limitTokensOf, seen }: Authentication,
  now: number,
): Authenticated | Refusal {
  if (identity.certificate !== undefined) {
    const { refusal } = identity.certificate;
    return refusal === undefined ? { token: undefined } : refuse(refusal);
  }
  const bearer = /^bearer (.+)$/i.exec(headerOf(request, "authorization") ?? "")?.[1];
  if (bearer === undefined) return refuse("MissingProviderToken");
  const token = tokens.read(bearer);
  if (token === undefined || token.issuedAt > now + AHEAD_ALLOWED) return refuse("InvalidProviderToken");
  if (token.issuedAt < now - TOKEN_LIFE) return refuse("ExpiredProviderToken");
  if (identity.teamId !== undefined && identity.teamId !== token.teamId)
    return refuse("InvalidProviderToken");
  if (identity.keyId !== undefined && identity.keyId !== token.keyId) return refuse("UnrelatedKeyIdInToken");
  if ((token.key?.environment ?? environment) !== environment) return refuse("BadEnvironmentKeyIdInToken");
  if (identity.bearer !== bearer) {
    if (changedTooSoon(identity.bearerSince, now)) return refuse("TooManyProviderTokenUpdates");
    if (limitTokensOf === "key" && isOneTooMany(seen, token.keyId, bearer, now)) {
      return refuse("TooManyProviderTokenUpdates");
    }
    Object.assign(identity, { bearer, bearerSince: now, teamId: token.teamId, keyId: token.keyId });
  }
  return { token };
}

const changedTooSoon = (since: number | undefined, now: number): boolean =>
  since !== undefined && now - since < LEAST_BETWEEN_TOKENS;

function isOneTooMany(seen: TokensSeen, keyId: string, bearer: string, now: number): boolean {
  const ofKey = seen.get(keyId);
  if (ofKey === undefined) {
    seen.set(keyId, { bearers: new Set([bearer]), newestSince: now });
    return false;
  }
  if (ofKey.bearers.has(bearer)) return false;
  if (changedTooSoon(ofKey.newestSince, now)) return true;
  ofKey.bearers.add(bearer);
  ofKey.newestSince = now;
  return false;
}
